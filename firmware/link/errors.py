"""What can go wrong between the terminal and its acquirer. `key` names the words on the screen."""


class LinkError(Exception):
    """The root. `sent` tells whether the request may have reached the host (then it is owed)."""

    key = "link_fault"


class NoRadio(LinkError):
    """The Wi-Fi network could not be joined."""

    key = "no_wifi"


class NoRoute(LinkError):
    """Neither host could be found or reached (name, refused, reset while connecting)."""

    key = "no_route"


class ConnectTimeout(LinkError):
    """Connecting and the handshake took longer than their one limit."""

    key = "connect_timeout"


class CertificateFault(LinkError):
    """The host's certificate is not ours, expired, or for another name. Nothing was sent."""

    key = "certificate_fault"


class Disconnected(LinkError):
    """The line broke after something was sent: the answer is unknown."""

    key = "disconnected"


class ReplyTimeout(LinkError):
    """No matching answer within the limit."""

    key = "reply_timeout"


class MalformedReply(LinkError):
    """The answer is no message of the protocol; the field at fault is in the sentence."""

    key = "malformed_reply"


class MacFault(LinkError):
    """The answer's F64 is wrong or missing: it completes nothing and settles nothing."""

    key = "mac_fault"


class KeyFault(LinkError):
    """The working keys of the sign-on do not check. The old ones are still in place."""

    key = "key_fault"


class NotSignedOn(LinkError):
    """No working keys are loaded: sign on first."""

    key = "not_signed_on"


class ReversalStuck(LinkError):
    """A reversal had all its tries: no online payment until it is through or settled by hand."""

    key = "reversal_stuck"


class Refused(LinkError):
    """The host refused a management message; `code` is its F39."""

    key = "host_refused"

    def __init__(self, code: str) -> None:
        super().__init__(f"the host answered {code}")
        self.code = code
