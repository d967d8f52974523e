"""The rules for keys, made from normalise.md and network.md alone: short, slow, and meant to be read.

    python3 normalise.py RULE [KEY]...
"""

import ipaddress
import re
import sys

DIGITS = re.compile(rb"[0-9]+(\.[0-9]+)+/[0-9]+|[0-9]+(\.[0-9]+){3}")
GROUPS = re.compile(rb"[0-9a-fA-F:.]+(/[0-9]+)?")


def looks_like_a_block(key):
    """[F5]"""
    if len(key) > 128:
        return False
    if DIGITS.fullmatch(key):
        return True
    points = re.search(rb"^\.|\.\.|\.(/|$)", key)  # a number is left out
    return bool(GROUPS.fullmatch(key)) and not points and (b"::" in key or key.count(b":") == 7)


def network(key):
    """[F5], [F6]"""
    if not looks_like_a_block(key):
        return key
    address, slash, length = re.sub(rb"(?<![0-9a-fA-F])0+(?=[0-9a-fA-F])", b"", key).decode().partition("/")
    try:
        address = ipaddress.ip_address(address)
        bits, length = address.max_prefixlen, int(length or address.max_prefixlen)
        number = int(address)
        if length > bits or number & (1 << bits - length) - 1:
            return None
    except ValueError:
        return None
    if bits == 128 and length >= 96 and number >> 32 == 0xFFFF:  # [N2]
        bits, number, length = 32, number & 0xFFFFFFFF, length - 96
    if bits == 32:
        text = str(ipaddress.IPv4Address(number))
    else:  # [N3]; not as Python, which writes some of them in another way
        groups = [f"{number >> shift & 0xFFFF:x}" for shift in range(112, -1, -16)]
        zeros = max(re.finditer(r"(?<![^:])(0:)+0(?![^:])", ":".join(groups)), key=lambda run: len(run[0]), default=None)
        text = ":".join(groups)
        if zeros:
            before, after = text[: zeros.start()].rstrip(":"), text[zeros.end() :].lstrip(":")
            text = f"{before}::{after}"
    return f"{text}/{length}".encode() if slash else text.encode()


def domain(key):
    """[F4]"""
    key = key.lower()
    if key.endswith(b"."):
        key = key[:-1]
    labels = key.split(b".")
    return None if b"" in (labels[1:] if len(labels) > 1 else labels) else key


def mac(key):
    """[F7]"""
    pairs = rb"([0-9a-f]{2}%b)*[0-9a-f]{1,2}"
    forms = [rb"[0-9a-f]+", pairs % b":", pairs % b"-", rb"([0-9a-f]{4}\.)*[0-9a-f]{1,4}"]
    if not any(re.fullmatch(form, key.lower()) for form in forms):
        return None
    digits = re.sub(rb"[^0-9a-f]", b"", key.lower())
    return digits if 6 <= len(digits) <= 12 else None


RULES = {"network": network, "domain": domain, "lower": bytes.lower, "mac": mac}  # [F1], [F3]


def normalise(rule, key):
    """The key as the rule writes it, or None. [F2]"""
    return RULES[rule](key)


if __name__ == "__main__":
    for word in sys.argv[2:]:
        found = normalise(sys.argv[1], word.encode("utf-8", "surrogateescape"))
        print(word, "none" if found is None else found.decode("utf-8", "backslashreplace"), sep="\t")
