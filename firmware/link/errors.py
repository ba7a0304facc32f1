"""What can go wrong between the terminal and its acquirer.

The screen's words are filed under the class's name (firmware/ui)."""


class LinkError(Exception):
    """The root. `sent` tells whether the request may have reached the host (then it is owed)."""


class NoRadio(LinkError):
    """The Wi-Fi network could not be joined."""


class NoRoute(LinkError):
    """Neither host could be found or reached (name, refused, reset while connecting)."""


class ConnectTimeout(LinkError):
    """Connecting and the handshake took longer than their one limit."""


class CertificateFault(LinkError):
    """The host's certificate is not ours, expired, or for another name. Nothing was sent."""


class Unsendable(LinkError):
    """The card's data does not fit the protocol's fields: nothing was sent."""


class Disconnected(LinkError):
    """The line broke after something was sent: the answer is unknown."""


class ReplyTimeout(LinkError):
    """No matching answer within the limit."""


class MalformedReply(LinkError):
    """The answer is no message of the protocol; the field at fault is in the sentence."""


class MacFault(LinkError):
    """The answer's F64 is wrong or missing: it completes nothing and settles nothing. `code` is
    its unproven F39: only ever a reason to sign on again."""

    def __init__(self, sentence: str, code: str) -> None:
        super().__init__(sentence)
        self.code = code


class KeyFault(LinkError):
    """The working keys of the sign-on do not check. The old ones are still in place."""


class NotSignedOn(LinkError):
    """No working keys are loaded: sign on first."""


class ReversalStuck(LinkError):
    """A reversal had all its tries: no online payment until it is through or settled by hand."""


class Refused(LinkError):
    """The host refused a management message; `code` is its F39."""

    def __init__(self, code: str) -> None:
        super().__init__(f"the host answered {code}")
        self.code = code
