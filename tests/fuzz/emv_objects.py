"""BER-TLV for the fuzz of lib/emv: a parser and a writer of its own, so that the library's faults
are not shared by its judge. Runs inside MicroPython."""


def parse(data: bytes) -> "list | None":
    """Objects as [tag, value]; a template's value is such a list. None when it is not all TLV."""
    nodes, at, end = [], 0, len(data)
    while at < end:
        if data[at] == 0:
            at += 1
            continue
        begin = at
        at += 1
        if data[begin] & 0x1F == 0x1F:
            while at < end and data[at] & 0x80:
                at += 1
            at += 1
        tag = data[begin:at]
        if at >= end:
            return None
        size = data[at]
        at += 1
        if size & 0x80:
            width = size & 0x7F
            if not 0 < width < 3 or at + width > end:
                return None
            size = int.from_bytes(data[at : at + width], "big")
            at += width
        if at + size > end:
            return None
        value = data[at : at + size]
        inside = parse(value) if tag[0] & 0x20 else None
        nodes.append([tag, value if inside is None else inside])
        at += size
    return nodes


def encoded(nodes: list) -> bytes:
    """Objects as bytes, lengths as short as can be."""
    out = bytearray()
    for tag, value in nodes:
        content = encoded(value) if isinstance(value, list) else value
        size = len(content)
        out.extend(tag)
        if size > 255:
            out.extend(bytes((0x82, size >> 8, size & 255)))
        elif size > 127:
            out.extend(bytes((0x81, size)))
        else:
            out.append(size)
        out.extend(content)
    return bytes(out)


def places(nodes: list, found: list) -> list:
    """Every object of a tree as (the list it stands in, its number there)."""
    for number, node in enumerate(nodes):
        found.append((nodes, number))
        if isinstance(node[1], list):
            places(node[1], found)
    return found


def first(nodes: "list | None", tag: bytes) -> "bytes | None":
    """The first object with this tag, at any depth; an empty one is none (Book 3 Annex B1)."""
    for name, value in nodes or ():
        if name == tag and value:
            return encoded(value) if isinstance(value, list) else value
        if isinstance(value, list):
            found = first(value, tag)
            if found is not None:
                return found
    return None
