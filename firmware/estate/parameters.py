"""What makes this terminal this shop's: numbers, name, hosts, time limits, Wi-Fi, language.

Public face: Parameters.load(folder='/data') -> Parameters (ParametersCorrupt), .save(folder), attributes
terminal, merchant, name, name_en, tpdu, hosts (list of [name, port]), ssid, password, language ('zh'|'en'),
connect_ms, reply_ms, connect_tries, reversal_tries, ca_path.
"""
