"""What every command has in common: options, suggestions, colours; completion in real shells under a pseudo-terminal;
manual pages."""

import json
import os
import re
import subprocess
from pathlib import Path

import pexpect
import pytest

from conftest import BAD_DATA, DONE, NO, NO_INPUT, USAGE

NETWORKS = b"""\
network,asn,org,geo
8.8.8.0/24,15169,Google LLC,"{""country"":""US"",""city"":""Mountain View""}"
1.1.1.0/24,13335,"Cloudflare, Inc.","{""country"":""AU"",""city"":null}"
"""


@pytest.fixture(scope="module")
def folder(command, tmp_path_factory):
    """A folder with a database, a file that is none, and a folder; the command is found in bin."""
    folder = tmp_path_factory.mktemp("manners")
    (folder / "list.txt").write_text("8.8.8.0/24\n")
    (folder / "networks.csv").write_bytes(NETWORKS)
    (folder / "sub").mkdir()
    (folder / "h.fsdb").write_bytes(b"")
    (folder / "bin").mkdir()
    (folder / "bin" / "fusedb").symlink_to(command.path)
    options = ["--key", "network", "--type", "asn=int", "--type", "geo=json", "--quiet"]
    command("build", "-o", "networks.fsdb", "networks.csv", *options, cwd=folder, code=DONE)
    (folder / "changed.csv").write_bytes(NETWORKS.replace(b"15169", b"15170").replace(b"Cloudflare", b"Cloud"))
    command("build", "-o", "changed.fsdb", "changed.csv", *options, cwd=folder, code=DONE)
    return folder


@pytest.fixture(scope="module")
def commands(command):
    """What 'fusedb help --json' says of each command."""
    return {each["name"]: each for each in command("help", "-j", code=DONE).json["commands"]}


NAMES = re.findall(r"^  (\w+)  ", subprocess.run(
    [os.environ.get("FUSEDB") or Path(__file__).resolve().parents[2] / ".build/debug/fusedb", "help"],
    capture_output=True, text=True).stdout.split("Usage:")[-1].split("'fusedb help")[0], re.M)


def test_there_are_commands():
    assert {"build", "get", "keys", "completions", "man", "help"} <= set(NAMES)


# --- options of every command ---


@pytest.mark.parametrize("name", NAMES)
def test_help_version_and_quiet_are_options_of_every_command(command, commands, name, tmp_path):
    options = {option["name"]: option["short"] for option in commands[name]["options"]}
    assert options["--help"] == "-h" and options["--version"] == "-V" and options["--quiet"] == "-q"
    assert options.get("--json", "-j") == "-j"
    assert command(name, "-V", code=DONE).text == command("--version", code=DONE).text
    assert command(name, "x", "--version", "--nonsense", code=DONE).text == command("-V", code=DONE).text
    assert command(name, "-h", code=DONE).text == command("help", name, code=DONE).text
    # After two dashes they are operands: `keygen` and `sign` then make a file of that name.
    # (`serve` waits for one.)
    if name != "serve":
        assert command(name, "--", "-V", cwd=tmp_path).out != command("-V").out


@pytest.mark.parametrize("name", NAMES)
def test_an_option_with_a_choice_names_what_it_takes_and_takes_it(command, commands, name, folder):
    others = {"completions": ["bash"], "convert": ["networks.fsdb", "new.fsdb", "--family"], "export": ["networks.fsdb", "new.mmdb"], "shard": ["networks.fsdb", "new-set", "--shards", "2"], "man": [], "help": [], "enrich": ["networks.fsdb", "--on", "x"],
              "fetch": ["remote", "name", "got.fsdb"], "follow": ["remote", "name", "got.fsdb"], "store": ["add", "networks.fsdb"]}
    operands = others.get(name, ["networks.fsdb", "networks.fsdb"])
    text = command(name, "--help", code=DONE).text
    for option in commands[name]["options"]:
        # A value that may be left out stands behind '='.
        with_value = (lambda choice: [f"{option['name']}={choice}"]) if f"{option['name']}[=" in text else (lambda choice: [option["name"], choice])
        for choice in option["choices"]:
            result = command(name, *operands, *with_value(choice), "--help", cwd=folder, code=DONE)
            assert option["name"] in result.text
        if option["choices"]:
            result = command(name, *operands, "-o", "new.fsdb", *with_value("no-choice"), cwd=folder)
            if f"the option {option['name']} takes" in result.errors:
                assert all(choice in result.errors for choice in option["choices"]), option
            else:
                # Without what the command needs beside it, this is what it says first.
                result = command(name, *operands, *with_value("no-choice"), cwd=folder, code=USAGE)
                assert all(choice in result.errors for choice in option["choices"]), (option, result)


@pytest.mark.parametrize("arguments, words", [
    (["get", "networks.fsdb", "absent"], "no such key"),
    (["keys", "networks.fsdb", "--like", "absent"], "no such key"),
    (["diff", "networks.fsdb", "copy.fsdb"], "their bytes differ"),
])
def test_quiet_keeps_notes_back_and_the_exit_code(command, folder, arguments, words):
    command("reindex", "-o", "copy.fsdb", "networks.fsdb", "--meta", "a=b", "--quiet", cwd=folder, code=DONE)
    loud, quiet = command(*arguments, cwd=folder), command(*arguments, "-q", cwd=folder)
    assert words in loud.errors
    assert (quiet.code, quiet.out, quiet.err) == (loud.code, loud.out, b"")


def test_quiet_keeps_no_error_back(command, folder):
    assert "cannot open" in command("get", "absent.fsdb", "k", "-q", cwd=folder, code=NO_INPUT).errors


# --- suggestions ---


@pytest.mark.parametrize("arguments, hint", [
    (["gte"], "get"), (["keys", "networks.fsdb", "--revers"], "--reverse"),
    (["get", "netwroks.fsdb", "k"], "netwroks.fsdb: cannot open the file: No such file or directory; did you mean 'networks.fsdb'?"),
    (["get", "networks", "k"], "networks.csv"), (["stats", "./networks.fsbd"], "./networks.fsdb"),
    (["verify", "network.fsdb"], "networks.fsdb"), (["build", "-o", "x.fsdb", "network.csv", "--key", "k"], "networks.csv"),
    (["get", "networks.fsdb", "8.8.8.0/24", "--field", "agn"], "asn"),
    (["get", "networks.fsdb", "8.8.8.0/24", "--field", "geo.contry"], "geo.country"),
    (["completions", "bsh"], "bash"),
    # What begins so comes before what is spelled like it.
    (["keys", "networks.fsdb", "--lim", "1"], "'--limit'"), (["get", "networks.fsdb", "k", "--for", "csv"], "'--format'"),
    # However short a name is, its ending may have slips.
    (["get", "h.fsd", "k"], "'h.fsdb'"), (["get", "h.fsbd", "k"], "'h.fsdb'"), (["get", "h", "k"], "'h.fsdb'"),
])
def test_a_slip_gets_a_suggestion(command, folder, arguments, hint):
    result = command(*arguments, cwd=folder)
    assert result.code != DONE and "did you mean '" in result.errors and hint in result.errors


@pytest.mark.parametrize("arguments", [
    ["get", "elsewhere.fsdb", "k"], ["get", "sub/networks.fsdb", "k"], ["get", "nowhere/networks.fsdb", "k"],
    ["get", "networks.fsdb", "8.8.8.0/24", "--field", "population"], ["get", "networks.fsdb", "k"], ["get", "i.fsdb", "k"],
])
def test_what_is_like_nothing_gets_none(command, folder, arguments):
    result = command(*arguments, cwd=folder)
    assert result.code != DONE and "did you mean" not in result.errors


FIELDS = b'{"ip":"8.8.8.0/24","seen":{"first":1}}\n'


@pytest.mark.parametrize("arguments, stdin, code, words", [
    (["keys", "networks.fsdb", "--where", "agn=x"], b"", DONE, """no value that was looked at has the field "agn", which --where names; did you mean 'asn'?"""),
    (["keys", "networks.fsdb", "--where", "agn=x", "--count"], b"", DONE, "'asn'"), (["keys", "networks.fsdb", "--where", "agn=x", "-0"], b"", DONE, "'asn'"),
    (["keys", "networks.fsdb", "--where", "agn=x", "--sample", "1", "--count"], b"", DONE, "'asn'"),
    (["keys", "networks.fsdb", "--where", "asn=13335", "--where", "geo.contry=x"], b"", DONE, "'geo.country'"),
    (["dump", "networks.fsdb", "--where", "geo.cty=x"], b"", DONE, "'geo.city'"), (["dump", "networks.fsdb", "--format", "csv", "--where", "ogr=x"], b"", DONE, "'org'"),
    (["prefix", "networks.fsdb", "8.", "--where", "ogr=x"], b"", DONE, "'org'"),
    (["diff", "networks.fsdb", "changed.fsdb", "--ignore", "ogr"], b"", NO, """has the field "ogr", which --ignore names; did you mean 'org'?"""),
    (["diff", "networks.fsdb", "changed.fsdb", "--field", "ogr"], b"", DONE, """has the field "ogr"; did you mean 'org'?"""),
    (["enrich", "networks.fsdb", "--on", "ipp"], FIELDS, DONE, """no line has a key at "ipp", which --on names; did you mean 'ip'?"""),
    (["enrich", "networks.fsdb", "--on", "seen.frist"], FIELDS, DONE, "'seen.first'"),
    (["enrich", "networks.fsdb", "--on", "ip", "--field", "agn", "--field", "org"], FIELDS, DONE, """no answer has the field "agn", which --field names; did you mean 'asn'?"""),
    (["build", "-o", "x.fsdb", "--key", "ipp"], FIELDS, BAD_DATA, """the record gives no key: "ipp" is missing, null or empty; did you mean 'ip'?"""),
    (["build", "-o", "x.fsdb", "--key", "seen.frist"], FIELDS, BAD_DATA, "'seen.first'"),
    (["build", "-o", "x.fsdb", "--range", "ip,sen"], FIELDS, BAD_DATA, "'seen'"),
    (["build", "-o", "x.fsdb", "--format", "msgpack", "--key", "ipp"], b"\x82\xa2ip\xa1a\x01\x02", BAD_DATA, """is missing, nil or empty; did you mean 'ip'?"""),
    (["build", "-o", "x.fsdb", "--format", "csv", "--columns", "ip,org", "--key", "ipp"], b"a,b\n", USAGE, "'ip'"),
])
def test_a_field_that_nothing_has_gets_a_suggestion(command, folder, arguments, stdin, code, words):
    """Most harmful where it would look like an answer: nothing found, and nothing said."""
    result = command(*arguments, cwd=folder, stdin=stdin, code=code)
    assert words in result.errors and "did you mean" in result.errors
    assert not (folder / "x.fsdb").exists()


@pytest.mark.parametrize("arguments, stdin", [
    (["keys", "networks.fsdb", "--where", "org=nobody"], b""), (["keys", "networks.fsdb", "--prefix", "x", "--where", "agn=1"], b""),
    (["diff", "networks.fsdb", "changed.fsdb", "--ignore", "org"], b""), (["enrich", "networks.fsdb", "--on", "ip"], b'{"ip":null}\n'),
    (["build", "-o", "x.fsdb", "--key", "ip"], b'{"ip":null,"ipp":1}\n'), (["enrich", "networks.fsdb", "--on", "ip", "--field", "org"], FIELDS),
])
def test_a_field_that_is_there_gets_none(command, folder, arguments, stdin):
    errors = command(*arguments, cwd=folder, stdin=stdin).errors
    assert "did you mean" not in errors and "no value" not in errors and "no answer" not in errors


@pytest.mark.parametrize("option, value, words", [
    ("--seed", "99999999999999999999", "takes a number from 0 to 9223372036854775807, and not '99999999999999999999'"),
    ("--limit", "9223372036854775808", "takes a number from 0 to 9223372036854775807"), ("--limit", "-1", "takes a number from 0 on, and '-1' is none"),
    ("--limit", "+1", "and '+1' is none"), ("--limit", "", "and '' is none"), ("--limit", "1e3", "and '1e3' is none"),
])
def test_a_number_that_is_too_great_is_said_to_be_so(command, folder, option, value, words):
    sample = ["--sample", "1"] if option == "--seed" else []
    assert words in command("keys", "networks.fsdb", *sample, f"{option}={value}", cwd=folder, code=USAGE).errors


@pytest.mark.parametrize("option, value, words", [
    ("--memory", "9999999999T", "takes at most 8388607T, and not '9999999999T'"), ("--memory", "99999999999999999999999", "takes at most 8388607T"),
    ("--memory", "9X", "takes bytes, or a number with K"), ("--threads", "99999999999999999999", "takes a number from 1 to 1024, and not '99999999999999999999'"),
])
def test_so_is_a_size(command, folder, option, value, words):
    assert words in command("merge", "-o", "m.fsdb", "networks.fsdb", option, value, cwd=folder, code=USAGE).errors


# --- names from outside ---

#: A name that would turn a terminal red, ring its bell, erase the line and begin another; and the same of two bytes.
EVIL = "a\x1b[31m\x07\r\n\x7f\x9b"
SPELLED = "a\\x1b[31m\\x07\\r\\n\\x7f\\xc2\\x9b"
#: File "evil" stands for a file of that name, "good" for one with a field of that name.
NAMES_FROM_OUTSIDE = [
    ["get", f"{EVIL}absent.fsdb", "k"], ["get", "evil", "absent"], ["keys", "good", f"--{EVIL}"], [EVIL], ["help", EVIL], ["keys", "good", "--format", EVIL],
    ["keys", "good", "--limit", EVIL], ["stats", "evil"], ["verify", "evil"], ["verify", "evil", "good"], ["diff", "good", f"{EVIL}absent"], ["reindex", "evil", "-o", "evil2"],
    ["convert", "evil", "evil2", "--compact"], ["export", "evil", "evil2"], ["convert", f"{EVIL}absent", "x.fsdb", f"--compact={EVIL}"],
    ["build", "-o", "evil2"], ["merge", "-o", "evil2", "good", "evil"], ["diff", "good", "evil", "--patch", "evil3"], ["enrich", "evil", "--on", "k"],
    ["get", "good", "k", "--field", f"{EVIL}x"], ["keys", "good", "--field", f"{EVIL}x"], ["keys", "good", "--where", f"{EVIL}x=1"], ["get", f"{EVIL}.fsd", "k"],
    ["enrich", "good", "--on", "k", "--field", f"{EVIL}x"], ["enrich", "good", "--on", f"{EVIL}x"], ["build", "-o", "x.fsdb", "--key", f"{EVIL}x"],
    ["build", "-o", "x.fsdb", "--key", f"{EVIL}", "--keep", f"{EVIL}x"], ["bench", "evil", "--seconds", "0"], ["get", "good", "k", "-o", f"{EVIL}/x"],
]


@pytest.mark.parametrize("arguments", NAMES_FROM_OUTSIDE, ids=lambda words: " ".join(words).replace(EVIL, "EVIL"))
def test_no_name_from_outside_does_anything_to_a_terminal(command, tmp_path, arguments):
    record = json.dumps({"keys": ["k"], "value": {EVIL: 1}}).encode()
    files = {"good": "good.fsdb", "evil": f"{EVIL}.fsdb", "evil2": f"{EVIL}2.fsdb", "evil3": f"{EVIL}3.patch"}
    for name in ("good", "evil"):
        command("build", "-o", files[name], "-q", stdin=record, cwd=tmp_path, code=DONE)
    line = json.dumps({"k": "k", EVIL: "k"}).encode()
    result = command(*[files.get(word, word) for word in arguments], cwd=tmp_path, stdin=record if arguments[0] == "build" and "--key" not in arguments else line)
    shown = result.err + (b"" if arguments[0] == "enrich" else result.out)
    assert re.findall(rb"[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]", shown) == [], shown
    assert SPELLED in shown.decode(), shown


# --- colours ---


def on_terminal(command, folder, *arguments, **environment):
    """What a command prints on a terminal."""
    there = {key: value for key, value in os.environ.items() if key != "NO_COLOR"}
    child = pexpect.spawn(str(command.path), list(arguments), cwd=folder, env={**there, "TERM": "xterm", **environment}, timeout=20)
    child.expect(pexpect.EOF)
    child.close()
    return child.before.decode()


def test_colours_are_for_terminals_that_have_them_and_people_who_want_them(command, folder):
    wrong = ["get", "absent.fsdb", "k"]
    assert on_terminal(command, folder, *wrong).startswith("\x1b[1;31mfusedb:\x1b[0m absent.fsdb: ")
    for environment in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
        assert on_terminal(command, folder, *wrong, **environment).startswith("fusedb: absent.fsdb: ")
    assert "\x1b" in on_terminal(command, folder, *wrong, NO_COLOR="")
    assert command(*wrong, cwd=folder).errors.startswith("fusedb: absent.fsdb: ")
    assert "\x1b[1mOptions:\x1b[0m\r\n" in on_terminal(command, folder, "help", "get")
    assert "\x1b" not in on_terminal(command, folder, "get", "networks.fsdb", "8.8.8.0/24")
    command("build", "-o", "other.fsdb", "-q", cwd=folder, stdin=b'{"keys":["8.8.8.0/24"],"value":1}\n', code=DONE)
    assert on_terminal(command, folder, "diff", "networks.fsdb", "other.fsdb") == "\x1b[31m-\x1b[0m 1.1.1.0/24\r\n\x1b[33m~\x1b[0m 8.8.8.0/24\r\n"
    assert command("diff", "networks.fsdb", "other.fsdb", cwd=folder, code=NO).text == "- 1.1.1.0/24\n~ 8.8.8.0/24\n"


# --- completion ---

#: What is typed before a tab, and what the words are then.
COMPLETED = [
    ("fusedb verif", ["fusedb", "verify"]),
    ("fusedb get networks.fsdb --keys-fr", ["fusedb", "get", "networks.fsdb", "--keys-from"]),
    ("fusedb build --on-duplicate fi", ["fusedb", "build", "--on-duplicate", "first"]),
    ("fusedb build --on-duplicate=fi", ["fusedb", "build", "--on-duplicate=first"]),
    ("fusedb get netw", ["fusedb", "get", "networks.fsdb"]),
    ("fusedb get networks.fsdb --keys-from li", ["fusedb", "get", "networks.fsdb", "--keys-from", "list.txt"]),
    ("fusedb get networks.fsdb --keys-from=li", ["fusedb", "get", "networks.fsdb", "--keys-from=list.txt"]),
    ("fusedb build --temp s", ["fusedb", "build", "--temp", "sub/"]),
    ("fusedb get networks.fsdb k --field geo.co", ["fusedb", "get", "networks.fsdb", "k", "--field", "geo.country"]),
    ("fusedb get -q networks.fsdb --field=o", ["fusedb", "get", "-q", "networks.fsdb", "--field=org"]),
    ("fusedb help merg", ["fusedb", "help", "merge"]),
]


class Shell:
    """A shell under a pseudo-terminal, in the folder, with fusedb on its path."""

    def __init__(self, folder, words, *start):
        environment = {"PATH": f"{folder}/bin:{os.environ['PATH']}", "TERM": "dumb", "HOME": str(folder), "LC_ALL": "C.UTF-8"}
        self.child = pexpect.spawn(words[0], words[1:], cwd=str(folder), env=environment, timeout=20, dimensions=(24, 200))
        for line in start:
            self.child.sendline(line)
        self.child.sendline("echo ready-$((1+1))")
        self.child.expect("ready-2\r?\n")

    def completed(self, line):
        """The words of a line after a tab at its end."""
        # To the start of the line; what follows prints the words of the rest.
        self.child.send(line + "\t" + "\x01printf '<%s>' \r")
        self.child.expect(r"\r\n((?:<[^<>]*>)+)")
        return re.findall("<([^<>]*)>", self.child.match[1].decode())

    def close(self):
        self.child.close(force=True)


@pytest.fixture(scope="module")
def bash(folder):
    start = "bind 'set enable-bracketed-paste off'; PS1='$ '; eval \"$(fusedb completions bash)\""
    shell = Shell(folder, ["bash", "--norc", "--noprofile", "-i"], start)
    yield shell
    shell.close()


@pytest.fixture(scope="module")
def zsh(command, folder, tmp_path_factory):
    functions = tmp_path_factory.mktemp("functions")
    (functions / "_fusedb").write_bytes(command("completions", "zsh", code=DONE).out)
    shell = Shell(folder, ["zsh", "-f", "-i"], f"fpath=({functions} $fpath); autoload -Uz compinit; compinit -u -D; bindkey -e; PS1='$ '")
    yield shell
    shell.close()


@pytest.mark.parametrize("line, words", COMPLETED)
def test_bash_completes(bash, line, words):
    assert bash.completed(line) == words


@pytest.mark.parametrize("line, words", COMPLETED)
def test_zsh_completes(zsh, line, words):
    # It takes the slash after a folder away again when the line goes on.
    assert zsh.completed(line) == [word.removesuffix("/") for word in words]


#: Names of fields, of which a file may have any: what is typed before a tab, and the name.
ODD_FIELDS = [
    ("x", "x$(touch PWNED)"), ("tick", "tick`touch PWNED`"), ("semi", "semi;touch PWNED"), ("my", "my field"), ("it", "it's \"one\""),
    ("lib", r"lib\.version"), ("back", "back\\\\slash"), ("star", "star*?[a]"), ("ampersand", "ampersand&touch PWNED"),
]


@pytest.fixture(scope="module")
def odd(command, folder):
    """A file with odd names of fields, in the folder of the shells."""
    names = {path.replace("\\.", ".").replace("\\\\", "\\"): number for number, (_, path) in enumerate(ODD_FIELDS)}
    line = json.dumps({"keys": ["a"], "value": names}) + "\n"
    command("build", "-o", "odd file.fsdb", "-q", cwd=folder, stdin=line.encode(), code=DONE)
    return folder


@pytest.mark.parametrize("typed, path", ODD_FIELDS)
@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_a_name_out_of_a_file_is_a_word_and_no_command(request, command, odd, shell, typed, path):
    for file in (r"odd\ file.fsdb", "'odd file.fsdb'"):
        words = request.getfixturevalue(shell).completed(f"fusedb get {file} a --field {typed}")
        assert words == ["fusedb", "get", "odd file.fsdb", "a", "--field", path]
        assert not (odd / "PWNED").exists()
        assert command(*words[1:], cwd=odd, code=DONE).text.strip() == str([each for _, each in ODD_FIELDS].index(path))


def test_zsh_completes_without_an_installed_script(folder):
    shell = Shell(folder, ["zsh", "-f", "-i"], "autoload -Uz compinit; compinit -u -D; bindkey -e; PS1='$ '; eval \"$(fusedb completions zsh)\"")
    assert shell.completed("fusedb stat") == ["fusedb", "stats"]
    shell.close()


@pytest.mark.parametrize("line, words", COMPLETED)
def test_fish_completes(folder, line, words):
    script = f"fusedb completions fish | source; complete -C {json.dumps(line)}"
    environment = {"PATH": f"{folder}/bin:{os.environ['PATH']}", "HOME": str(folder), "LC_ALL": "C.UTF-8"}
    result = subprocess.run(["fish", "--no-config", "-c", script], cwd=folder, env=environment, capture_output=True, text=True, timeout=20)
    assert result.stderr == ""
    assert words[-1] in [line.split("\t")[0] for line in result.stdout.splitlines()]


@pytest.mark.parametrize("words, lines", [
    ([""], NAMES), (["ge"], ["get"]), (["nonsense", ""], []), (["--help", "ge"], ["get"]), (["-"], ["--help", "--version"]),
    (["get", ""], [":files .fsdb"]), (["get", "x", ""], []), (["get", "x", "y", "--", "--f"], []), (["diff", "a", ""], [":files .fsdb"]),
    (["diff", "a", "b", ""], []), (["build", "-o", ""], [":files"]), (["build", "-oa", ""], [":files"]), (["build", "--temp", ""], [":folders"]),
    (["get", "--json", "--js"], []), (["get", "--js"], ["--json"]), (["get", "--fiel"], ["--field"]), (["get", "--field", "x", "--fiel"], ["--field"]),
    (["get", "--field", "x", ""], [":files .fsdb"]), (["get", "--field=x", ""], [":files .fsdb"]), (["completions", "z"], ["zsh"]),
    (["conv"], ["convert"]), (["convert", "x", "y", "--comp"], ["--compact"]), (["expo"], ["export"]), (["export", "x", "y", "--form"], ["--format"]), (["build", "--lang"], ["--languages"]), (["get", "--ove"], ["--over", "--overwrite"]), (["convert", "x", "y", "--fam"], ["--family"]),
    (["convert", ""], [":files .fsdb"]), (["merge", "--comp"], ["--compact"]), (["reindex", "--comp"], ["--compact"]),
    (["get", "absent.fsdb", "--field", ""], []), (["get", "networks.fsdb", "--field", "g"], ["geo", "geo.country", "geo.city"]),
    (["get", "list.txt", "--field", ""], []),
])
def test_what_may_stand_in_the_last_place(command, folder, words, lines):
    result = command("completions", "for", "--", *words, cwd=folder, code=DONE)
    assert [line.decode().split("\t")[0] for line in result.lines] == lines


def test_completions_are_for_shells_that_there_are(command):
    assert "bash, zsh and fish, and not for 'csh'" in command("completions", "csh", code=USAGE).errors
    assert "is missing" in command("completions", code=USAGE).errors


# --- manual pages ---


@pytest.mark.parametrize("name", ["", *NAMES])
def test_a_manual_page_has_no_flaw_and_says_what_the_help_says(command, commands, tmp_path, name):
    page = tmp_path / f"fusedb-{name}.1"
    page.write_bytes(command("man", *([name] if name else []), code=DONE).out)
    lint = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", page], capture_output=True, text=True)
    assert (lint.returncode, lint.stdout) == (0, "")
    shown = subprocess.run(["mandoc", "-T", "ascii", page], capture_output=True, text=True, check=True).stdout
    shown = re.sub(r".\x08", "", shown)
    if name:
        assert f"fusedb {name}" in shown
        words = " ".join(shown.split())
        for option in commands[name]["options"]:
            assert option["name"] in words
        for line in command("help", name).text.split("Example:\n")[1].split("\n\n")[0].splitlines():
            assert " ".join(line.split()) in words
    else:
        assert all(each in shown for each in NAMES)


@pytest.mark.parametrize("name", ["", "build", "get"])
def test_man_shows_a_page_without_warnings(command, tmp_path, name):
    folder = tmp_path / "man1"
    folder.mkdir()
    title = "fusedb-" + name if name else "fusedb"
    (folder / f"{title}.1").write_bytes(command("man", *([name] if name else []), code=DONE).out)
    environment = {**os.environ, "LC_ALL": "C.UTF-8", "MANWIDTH": "80"}
    result = subprocess.run(["man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z", folder / f"{title}.1"], env=environment, capture_output=True, text=True)
    assert (result.returncode, result.stderr) == (0, "")


def test_a_manual_page_is_one_of_a_command(command):
    assert "did you mean 'build'" in command("man", "biuld", code=USAGE).errors
    assert "one COMMAND at a time" in command("man", "get", "keys", code=USAGE).errors
