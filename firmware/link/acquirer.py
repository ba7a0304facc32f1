"""The conversation with the acquirer, message by message.

Public face:
    Link(config, ledger, clock, radio, log=None)
        config: firmware.estate.parameters.Parameters; clock, radio: devices.Clock, devices.Radio
        log: callable(str) for late, foreign and broken replies; masked, never a key
    await .sign_on(operator='01') -> SignOn   .code .host_date_set .clock_step (seconds the clock moved)
                                            .batch_adopted; raises LinkError (Refused, KeyFault, …)
    await .sign_off(operator='01') -> None
    await .echo() -> int                    milliseconds of the round trip
    await .authorise(txn) -> Reply          settles what is owed first; needs txn.card
    await .settle_owed() -> int             how many reversals are through; raises LinkError at the
                                            first that is not (ReversalStuck after all its tries)
    .signed_on -> bool                      working keys are in pinmac
    .stuck() -> Txn | None                  the reversal that spent its tries
    .settle_by_hand(txn, supervisor)        recorded as BY_HAND
    await .close()
    .wish -> int                            digit 6 of the last header (PROTOCOL.md, "Frame"); 0 none

Reply: .code (F39), .approved, .capture, .message (a key of wording, codes.key(code), e.g. 'rc_51'),
    .authorisation_code, .reference, .chip (F55 as bytes, b'' if none: tags 91 71 72), .amount (fen
    approved), .fields (dict, for the curious)

What `authorise` leaves behind: declined → DECLINED; approved and TAP → COMPLETED; approved and CHIP →
APPROVED (the flow must call txn.complete(...) after the second GENERATE AC, or txn.reverse('06')).
Any LinkError: nothing was sent → still OPENED (leaving `begin` cancels it), else REVERSING already.
"""
