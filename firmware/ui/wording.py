"""Every text a screen shows, by id, in Chinese and English; and how an id becomes words.

A text is `(zh, en)`. Texts that explain (a response code, a fault) are four: `(zh, zh_todo, en,
en_todo)`, what happened and what to do. Screens ask by id, never carry words of their own, so that
`lib/glyphs` can be made of just the characters in use.
"""

from firmware.ui import words_codes, words_faults, words_screens

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

ZH = const(0)
EN = const(1)

LANGUAGES = {"zh": ZH, "en": EN}


class Wording:
    """The words of one language: `words("id")`, `words.code("51")`, `words.fault(error)`."""

    def __init__(self, language: str = "zh") -> None:
        self.language = "zh"
        self._column = ZH
        self.speak(language)

    def speak(self, language: str) -> None:
        """Change to 'zh' or 'en'. ValueError for any other."""
        if language not in LANGUAGES:
            raise ValueError("language is zh or en, not " + str(language))
        self.language = language
        self._column = LANGUAGES[language]

    def __call__(self, name: str, *values: "Any") -> str:
        """The text `name`, its {} filled with `values`. KeyError for an id that does not exist."""
        text = words_screens.TEXTS[name][self._column]
        return text.format(*values) if values else text

    def both(self, name: str) -> tuple[str, str]:
        """The text in Chinese and in English, for what is always bilingual."""
        return words_screens.TEXTS[name]

    def code(self, response_code: str) -> tuple[str, str]:
        """What field 39 means and what to do about it; an unknown code is a failed transaction."""
        texts = words_codes.CODES.get(response_code, words_codes.UNKNOWN)
        return texts[self._column * 2], texts[self._column * 2 + 1]

    def fault(self, error: BaseException) -> tuple[str, str]:
        """What an error means and what to do about it.

        The error's class is looked up by name, then its bases in turn; what nobody named is shown
        as an unexpected fault, whose text the fault log keeps.
        """
        kinds = [type(error)]
        while kinds:
            kind = kinds.pop(0)
            texts = words_faults.FAULTS.get(kind.__name__)
            if texts:
                return texts[self._column * 2], texts[self._column * 2 + 1]
            kinds.extend(kind.__bases__)
        texts = words_faults.UNEXPECTED
        return texts[self._column * 2], texts[self._column * 2 + 1]
