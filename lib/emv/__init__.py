"""EMV for a payment terminal: one file a phase, the book's words as names.

The library is given `exchange`, an `async def(command: bytes) -> bytes` that sends one APDU and
returns the answer with SW1 SW2 (61xx and 6Cxx are handled here; CardRemoved and CardSilent pass
through), a `Terminal` and a `Transaction`. It knows no screen, reader, secret key or network;
`pinmac` recovers certificates for it and enciphers the offline PIN.

A contact sale, as a flow drives it (Book 3 chapter 10, in its order):

    from emv import elements, terminal
    from emv.authority import CaPublicKey
    from emv.contact import ContactSession

    keys = [CaPublicKey.from_text(entry) for entry in ...]  # the schemes'; CaKeyError
    pos = terminal.Terminal(random=pinmac.random, authorities=keys)     # once; as in terminal.py
    txn = terminal.Transaction(amount=1234, date="261123", time="195800", sequence=1)
    session = ContactSession(reader.exchange, pos, txn)
    try:
        await session.application_selection(choose)        # Book 1 12.4; choose(labels)
        await session.initiate_application_processing()    # 10.1 GET PROCESSING OPTIONS
        await session.read_application_data()              # 10.2; then session.track2
        await session.offline_data_authentication()        # 10.3; session.oda, session.oda_fault
        await session.processing_restrictions()            # 10.4
        await session.cardholder_verification(pin)         # 10.5; pin(method, tries)
        await session.terminal_risk_management()           # 10.6
        await session.terminal_action_analysis()           # 10.7
        decision = await session.card_action_analysis()    # 10.8 first GENERATE AC
        if decision == elements.ONLINE:
            reply = await send(session.field55(), session.track2)
            if reply is None:
                decision = await session.unable_to_go_online()           # Y3 or Z3
            else:
                await session.online_processing(reply.code, reply.field55)  # 10.9, 71
                decision = await session.completion()                    # 10.11, 72
        if decision == elements.APPROVED: ...              # session.receipt(): ARQC, TC...
        elif session.reversal_reason: ...                  # host said yes, card said no: F39 06
    finally:
        session.wipe()

A tap. The card is in the field only inside `perform`, which lets it go before it decides; one that
was refused before is still there:

    from emv.contactless import ContactlessSession         # outcome kinds: emv.outcome

    session = ContactlessSession(nfc.exchange, pos, txn)
    outcome = session.pre_processing()                     # None, or try_another_interface
    ... await nfc.activate() ...
    outcome = await session.perform(nfc.release)           # PPSE ... AFL, the field off, outcome
    # outcome.kind: approved, declined, online, try_another_interface, present_again,
    #               see_phone, end
    # outcome.cvm:  none, online_pin, signature, device
    ... online PIN, send(session.field55(), session.track2), receipt as above ...

`session.track2` is a `Track2` (pan, expiry YYMM, service code; its `masked` is 622588******1234);
`session.data.get(0x9F26)` gives any element's bytes; `session.tvr`, `session.tsi`, `session.cvm`,
`session.aid`, `session.label`, `session.psn` what a receipt and field 55 need. The callback
`pin(method, tries)` is called once for each try: for elements.CVM_OFFLINE_PIN it leaves the entry
open in pinmac.
"""
