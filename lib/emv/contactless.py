"""A contactless transaction: entry point, then the kernel (Books A, B, C-3, C-7)."""

from errors import CardRemoved, CardSilent

from emv import elements as e
from emv import entry_point, qvsdc
from emv.errors import EmvError, NoApplication
from emv.outcome import (
    END,
    PRESENT_AGAIN,
    TRY_ANOTHER_INTERFACE,
    Outcome,
)
from emv.session import Session

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    LetGo = Callable[[], Awaitable[None]]


class ContactlessSession(Session):
    """One tap: `pre_processing` before the field is on, `perform` while the card is in it.

    `perform` may be called again for the next tap. `track2`, `field55()`, `receipt()` hold for
    the outcomes approved, declined and online until `wipe()`.
    """

    _prepared = False  # begun, and no card has answered yet

    def pre_processing(self) -> "Outcome | None":
        """Limits against the amount, per AID (Book B 3.1). None: activate the field.

        An Outcome (try_another_interface) when no application takes the amount by tap. All that
        can be done before there is a card is done here: the session has the store from now on.
        """
        if not entry_point.allowed(self.terminal, self.transaction):
            return Outcome(TRY_ANOTHER_INTERFACE, reason="the amount is above every tap limit")
        self._prepare()
        return None

    def _prepare(self) -> None:
        self.begin()
        # Book C-3 knows no TSI and no 9F34; the TVR stays zero, as the cryptogram has it.
        self.data.drop(e.TRANSACTION_STATUS_INFORMATION)
        self._prepared = True

    async def perform(self, let_go: "LetGo | None" = None) -> Outcome:
        """PPSE, combination selection, GPO, records (Books B 3.3, C-3, C-7), and the outcome.

        let_go: awaited once when everything is read, before anything is proven or decided: turn
        the field off there. A card that is refused earlier leaves it to the caller.

        Never raises for what a card does: faults become `end`, a card that left or fell silent
        `present_again`, one without a common application `try_another_interface`.
        """
        if not self._prepared or self.data.owner is not self:
            self._prepare()
        self._prepared = False
        try:
            return await self._perform(let_go)
        except NoApplication as error:
            return Outcome(TRY_ANOTHER_INTERFACE, reason=str(error))
        except EmvError as error:
            return Outcome(END, reason=str(error))
        except (CardRemoved, CardSilent) as error:
            return Outcome(PRESENT_AGAIN, reason=str(error))

    async def _perform(self, let_go: "LetGo | None") -> Outcome:
        for candidate in await entry_point.combinations(self):
            outcome = await qvsdc.perform(self, candidate, let_go)
            if outcome is not None:
                return outcome
        raise NoApplication("no application of the card wants this payment")
