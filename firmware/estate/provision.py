"""The workshop's injection, device side: one JSON line in, one JSON line out.

`run(stream_in, stream_out)` reads lines of JSON, each one step, and answers each with one line
`{"ok": true, ...}` or `{"ok": false, "error": "NamedError", "message": "one sentence"}`:

    {"step": "begin", "serial": "SPT0000000001"}                 wipes keys, journal, parameters
    {"step": "component", "number": 1, "length": 16}             then, on the next line, the hex of the
        component (nothing else on it): read byte by byte into one bytearray, never into a str.
        Twice; the second answer carries "kcv": "CA5D..." (6 hex digits)
    {"step": "parameters", "values": {...}}                      as Parameters.FIELDS names them, e.g.
        {"terminal": "SP000001", "merchant": "898610154110001", "name": "测试商户有限公司",
         "tpdu": "6000030000", "hosts": [["acquirer.suanpan.test", 8583], ["acquirer2.suanpan.test", 8583]],
         "ssid": "suanpan-test", "password": "suanpan-test", "language": "zh"}
    {"step": "ca", "der": "hex of the CA certificate, DER"}
    {"step": "operators", "values": [{"number": "01", "password": "0001", "change": false}, ...]}
    {"step": "journal", "batch": 1, "trace": 0}                  the first batch, trace high-water mark
    {"step": "finish"}      generates storage keys if absent, seals all; {"ok": true, "kcv": {"0": ...}}

Order: begin, component x2, then the rest in any order, finish last ("begin" generates the storage keys,
so parameters and journal can be authenticated at once).
"""
