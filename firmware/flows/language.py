"""语言: Chinese or English, kept in the parameters."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.flows.pos import Pos


async def language(pos: "Pos") -> None:
    """Choose; durable when this returns. ParametersCorrupt if it cannot be kept."""
    options = [("1", pos.words("chinese")), ("2", pos.words("english"))]
    index = await pos.ask.choice(pos.words("language"), options)
    pos.shop.language = ("zh", "en")[index]
    pos.shop.save()
    pos.words.speak(pos.shop.language)
