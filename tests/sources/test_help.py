"""Helps of every layout become the options, positionals and commands that they describe."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langchain_gorilla.sources.command_schema import argument_list, shape_of
from langchain_gorilla.sources.help_options import read_option
from langchain_gorilla.sources.help_text import read_help
from langchain_gorilla.sources.help_usage import read_usages
from tests.sources import recorded_helps as helps

STRINGS = {"type": "array", "items": {"type": "string"}}


def shape(text: str, *path: str):
    read = read_help(text)
    valued = [name for o in read.options if o.style != "flag" for name in o.names]
    return shape_of(" ".join(path), read, read_usages(read.usages, path, value_options=valued))


def types(schema: dict) -> dict:
    return {
        name: {key: value for key, value in each.items() if key != "description"}
        for name, each in schema["properties"].items()
    }


@pytest.mark.parametrize(
    ("text", "path", "properties", "required"),
    [
        (
            helps.ARGPARSE,
            ("shop",),
            {
                "verbose": {"type": "boolean"},
                "colour": {"type": "string", "enum": ["red", "blue"]},
                "name": {"type": "string"},
                "tags": STRINGS,
                "size": {**STRINGS, "minItems": 2, "maxItems": 2},
                "count": {"type": "integer"},
                "item": {"type": "string"},
                "more": STRINGS,
            },
            ["name", "item"],
        ),
        (
            helps.CLICK,
            ("shop", "sell"),
            {
                "count": {"type": "integer"},
                "price": {"type": "number"},
                "size": {"type": "string", "enum": ["small", "large"]},
                "shout": {"type": "boolean"},
                "when": {"type": "string"},
                "item": {"type": "string"},
                "more": STRINGS,
            },
            ["price", "item"],
        ),
        (
            helps.TYPER,
            ("shop", "sell"),
            {
                "price": {"type": "number"},
                "count": {"type": "integer", "minimum": 1},
                "shout": {"type": "boolean"},
                "item": {"type": "string"},
            },
            ["price", "item"],
        ),
        (
            helps.COBRA,
            ("ship", "run"),
            {
                "env": STRINGS,
                "file": {"type": "string"},
                "replicas": {"type": "integer"},
                "wait": {"type": "boolean"},
                "debug": {"type": "boolean"},
                "context": {"type": "string"},
                "image": {"type": "string"},
            },
            ["image"],
        ),
        (
            helps.AWS,
            ("aws", "things", "describe-things"),
            {
                "bucket": {"type": "string"},
                "dry_run": {"type": "boolean"},
                "thing_ids": STRINGS,
                "max_items": {"type": "integer"},
            },
            ["bucket"],
        ),
        (
            helps.GCLOUD,
            ("cloud", "things", "create"),
            {
                "async": {"type": "boolean"},
                "labels": {"type": "string"},
                "machine": {"type": "string"},
                "zone": {"type": "string"},
                "name": {"type": "string"},
            },
            ["name"],
        ),
        (
            helps.AZ,
            ("az", "thing", "create"),
            {
                "name": {"type": "string"},
                "location": {"anyOf": [{"type": "boolean"}, {"type": "string"}]},
                "no_wait": {"anyOf": [{"type": "boolean"}, {"type": "string"}]},
                "tags": STRINGS,
                "debug": {"anyOf": [{"type": "boolean"}, {"type": "string"}]},
                "output": {"type": "string", "enum": ["json", "table"]},
            },
            ["name"],
        ),
        (
            helps.CLAP,
            ("tool", "build"),
            {
                "package": {"anyOf": [{"type": "boolean"}, {"type": "string"}]},
                "color": {"type": "string", "enum": ["auto", "always", "never"]},
                "jobs": {"type": "integer"},
                "verbose": {"type": "boolean"},
                "path": {"type": "string"},
            },
            None,
        ),
        (
            helps.GIT,
            ("git", "thing"),
            {
                "verbose": {"type": "boolean"},
                "porcelain": {"anyOf": [{"type": "boolean"}, {"type": "string"}]},
                "color": {"anyOf": [{"type": "boolean"}, {"type": "string"}]},
                "message": {"type": "string"},
                "max_count": {"type": "integer"},
                "pathspec": STRINGS,
            },
            None,
        ),
        (
            helps.GNU,
            ("glue",),
            {"number": {"type": "boolean"}, "until": {"type": "string"}, "file": STRINGS},
            None,
        ),
        (
            helps.GNU_TWO_WAYS,
            ("slice",),
            {
                "fields": {"type": "string"},
                "backup": {"anyOf": [{"type": "boolean"}, {"type": "string"}]},
                "file": STRINGS,
            },
            None,
        ),
        (
            helps.GNU_GROUPS,
            ("seek",),
            {
                "ignore_case": {"type": "boolean"},
                "max_count": {"type": "integer"},
                "color": {"anyOf": [{"type": "boolean"}, {"type": "string"}]},
                "patterns": {"type": "string"},
                "file": STRINGS,
            },
            ["patterns"],
        ),
    ],
    ids=[
        "argparse", "click", "typer", "cobra", "aws", "gcloud", "az", "clap", "git", "gnu",
        "gnu, two ways", "gnu, groups",
    ],
)  # fmt: skip
def test_a_help_becomes_a_schema(text, path, properties, required):
    found = shape(text, *path)
    assert types(found.schema) == properties
    assert found.schema.get("required") == required
    assert not found.refusals


def test_kubectl_s_defaults_tell_the_types():
    found = types(shape(helps.KUBECTL, "kube", "get").schema)
    assert {key: found[key] for key in ("all_namespaces", "chunk_size", "filename", "output")} == {
        "all_namespaces": {"type": "boolean"},
        "chunk_size": {"type": "integer"},
        "filename": STRINGS,
        "output": {"type": "string"},
    }


@pytest.mark.parametrize(
    ("text", "path", "commands"),
    [
        (helps.ARGPARSE_TREE, ("shop",), ["buy", "sell"]),
        (helps.TYPER, ("shop",), ["refund"]),
        (helps.COBRA_TREE, ("ship",), ["completion", "help", "run", "stop"]),
        (helps.AWS_TREE, ("aws", "things"), ["create-thing", "describe-things", "help"]),
        (helps.GCLOUD_TREE, ("cloud", "things"), ["create", "list"]),
        (helps.AZ_TREE, ("az", "thing"), ["part", "create", "delete"]),
    ],
    ids=["argparse", "typer", "cobra", "aws", "gcloud", "az"],
)
def test_sub_commands_are_found(text, path, commands):
    read = read_help(text)
    assert [each.name for each in read.commands] == commands
    if text not in (helps.AWS_TREE,):
        assert all(each.description for each in read.commands)


def test_npm_lists_its_commands_in_lines_of_several():
    text = "npm <command>\n\nAll commands:\n\n    access, ci,\n    help-search, install,\n    view, ls\n"
    names = [each.name for each in read_help(text).commands]
    assert names == ["access", "ci", "help-search", "install", "view", "ls"]


def test_npm_sets_what_stands_for_values_above_the_options():
    text = (
        "Options:\n[-w|--workspace <name> [-w|--workspace <name> ...]]\n[--depth <depth>] [--json]\n"
        "[--script-shell <shell>]\n\n  -w|--workspace\n    Where.\n\n  --depth\n    How deep.\n\n"
        "  --json\n    As JSON.\n\n  --script-shell\n    By what.\n"
    )
    found = shape(f"List.\n\nUsage:\nnpm ls <package>\n\n{text}", "npm", "ls")
    kinds = {name: each["type"] for name, each in types(found.schema).items()}
    assert kinds == {
        "workspace": "array",
        "depth": "integer",
        "json": "boolean",
        "package": "string",
    }
    assert [each.where for each in found.refusals] == ["npm ls --script-shell"]


def test_values_that_are_listed_after_the_options_are_no_sub_commands():
    assert read_help(helps.GNU_TWO_WAYS).commands == []


@pytest.mark.parametrize(
    "line",
    [
        "--compress-program=WORD",
        "--rsh-command=WORD",
        "--rmt-command=WORD",
        "--info-script=FILE",
        "--checkpoint-action=ACTION",
        "--filter=COMMAND",
        "--before <cmd>",
        "-p, --remote PROG",
        "--over[=PROGRAM]",
        "--eval=STRING",
        "-e commandline",
        "-c, --[no-]config <key=value>",
    ],
)
def test_an_option_that_names_a_program_is_left_out(line):
    found = shape(f"Usage: x [OPTION]...\n\n  {line}  Say how.\n", "x")
    assert found.schema["properties"] == {}
    assert [each.reason for each in found.refusals] == ["The option names a program to run."]


def test_a_usage_of_another_command_is_passed_over():
    usages = ["git log [<options>] [<path>...]", "git show [<options>] <object>..."]
    usage = read_usages(usages, ("git", "log"))
    assert not usage.commands
    assert [each.name for each in usage.positionals] == ["path"]


def test_positionals_stand_as_in_each_usage():
    usages = ["seq [OPTION]... LAST", "seq [OPTION]... FIRST LAST", "seq FIRST INCREMENT LAST"]
    found = read_usages(usages, ("seq",)).positionals
    assert [(each.name, each.required) for each in found] == [
        ("FIRST", False),
        ("INCREMENT", False),
        ("LAST", True),
    ]


def test_what_a_usage_does_is_no_positional():
    usages = ["hostname [-b] {name}         set host name (from file)", "hostname [-a]"]
    assert [each.name for each in read_usages(usages, ("hostname",)).positionals] == ["name"]


def test_binutils_write_an_s_in_brackets_for_what_may_be_several():
    text = (
        "Usage: objdump <option(s)> <file(s)>\n Display information from object <file(s)>.\n\n"
        "  -h, --headers   Display the headers\n  -w, --wide   More than 80 columns\n"
    )
    found = shape(text, "objdump").schema
    assert types(found)["file"] == {**STRINGS, "minItems": 1}
    assert found["required"] == ["file"]


def test_an_option_whose_short_name_asks_for_help_elsewhere_is_offered():
    text = "Usage: du [OPTION]...\n\n  -h, --human-readable  With units\n  -?, --help  Show this\n"
    assert types(shape(text, "du").schema) == {"human_readable": {"type": "boolean"}}


def test_prose_that_begins_with_an_option_is_no_other_option():
    text = (
        "Usage: tr [OPTION]... SET\n\n  -t, --truncate  First truncate\n\n"
        "-t may be used only when translating.  SET is extended.\n"
    )
    assert list(shape(text, "tr").options) == ["truncate"]


@pytest.mark.parametrize(
    ("usage", "name", "written"),
    [
        ("x [+FORMAT]", "format", "+FORMAT"),
        ("x <from>...<to>", "from_to", "<from>...<to>"),
        ("x <pkg>[@<version>]", "pkg_version", "<pkg>[@<version>]"),
        ("x [USER@]HOST", "user_host", "[USER@]HOST"),
        ("x [[OWNER][:[GROUP]]]", "owner_group", "[OWNER][:[GROUP]]"),
    ],
)
def test_a_positional_that_is_no_plain_word_is_described_as_written(usage, name, written):
    found = shape(f"Usage: {usage}\n", "x").schema["properties"]
    assert found == {name: {"type": "string", "description": f"Written as {written}."}}


def test_brackets_around_an_option_s_value_make_no_commands_of_bare_words():
    usage = read_usages(["cut [-o <file>] --size=<n> source"], ("cut",))
    assert ([each.name for each in usage.positionals], usage.commands) == (["source"], ())


def test_an_argument_of_choices_has_its_description():
    text = "usage: go [-h] {fast,slow}\n\npositional arguments:\n  {fast,slow}  how fast\n"
    found = shape(text, "go").schema["properties"]["fast_or_slow"]
    assert found == {"type": "string", "enum": ["fast", "slow"], "description": "how fast"}


def test_what_brackets_begin_is_required():
    assert read_usages(["scp [USER@]HOST"], ("scp",)).positionals[0].required


def test_the_files_of_diff_are_several():
    found = shape("Usage: diff [OPTION]... FILES\n", "diff").schema
    assert types(found) == {"files": {**STRINGS, "minItems": 1}}


def test_braces_may_hold_what_stands_for_any_word():
    found = read_usages(["ip [ OPTIONS ] OBJECT { COMMAND | help }"], ("ip",)).positionals
    assert [(each.name, each.choices) for each in found] == [
        ("OBJECT", ()),
        ("COMMAND", ()),
        ("help", ()),
    ]


def test_a_long_name_leaves_one_blank_before_the_column_of_descriptions():
    text = (
        "Usage: jq FILTER\n\nOptions:\n  -f, --from-file file      load it\n"
        "      --slurpfile name file set $name to an array\n      --disable-all-of-text Disable"
        " all text\n      --rsync-able-ness-off DIR [DIR ...]\n"
    )
    found = [(each.style, each.count, each.description) for each in read_help(text).options]
    assert found == [
        ("value", 0, "load it"),
        ("spaced", 2, "set $name to an array"),
        ("flag", 0, "Disable all text"),
        ("spaced", 0, ""),
    ]


def test_busybox_parts_columns_by_tabs_that_may_be_one_blank_wide():
    (option,) = read_help("Usage: tar [-f TARFILE]\n\n\t-f FILE\tName of TARFILE\n").options
    assert (option.style, option.description) == ("value", "Name of TARFILE")


def test_rsync_writes_or_without_a_colon():
    read = read_help("Usage: rsync SRC DEST\n  or   rsync SRC HOST:DEST\nCopies.\n")
    assert read.usages == ["rsync SRC DEST", "rsync SRC HOST:DEST"]


def test_yargs_begins_its_commands_with_the_program():
    text = "Usage: app <command> [options]\n\nCommands:\n  app serve [port]  Start it\n"
    assert [each.name for each in read_help(text).commands] == ["serve"]


@pytest.mark.parametrize(
    "line",
    [
        '--mode  How  [string] [choices: "a", "b"]',
        '--mode <mode>  How (choices: "a", "b")',
        "--mode=<option>  How <options: a|b>",
    ],
)
def test_choices_may_stand_in_the_description(line):
    assert read_option(line).schema == {"type": "string", "enum": ["a", "b"]}


def test_oclif_shows_a_prompt_in_its_usage():
    read = read_help("USAGE\n  $ tool deploy APP [--env dev|prod]\n\nFLAGS\n  -v  More\n")
    found = read_usages(read.usages, ("tool", "deploy"))
    assert [each.name for each in found.positionals] == ["APP"]


def test_clap_lists_options_in_the_place_of_an_argument():
    text = "Usage: uv add <PACKAGE|--file <FILE>|--all>\n\nArguments:\n  [PACKAGE]...  Them\n"
    found = shape(text, "uv", "add").schema
    assert types(found) == {"package": STRINGS}
    assert "required" not in found


def test_git_names_sub_commands_in_its_usage():
    usage = read_usages(read_help(helps.GIT_TREE).usages, ("git", "remote"))
    assert usage.commands == ("add", "remove")
    assert usage.runs_alone
    add = read_usages(["git remote add [-t <branch>] <name> <url>"], ("git", "remote", "add"))
    assert [each.name for each in add.positionals] == ["name", "url"]


@pytest.mark.parametrize(
    ("text", "description"),
    [
        (helps.ARGPARSE, "Sell things."),
        (helps.CLICK, "Sell a thing."),
        (helps.TYPER, "Sell a thing."),
        (helps.COBRA, "Run a thing in the cluster. It may take a while."),
        (helps.AZ, "Create a thing."),
        (helps.CLAP, "Compile a thing"),
        (helps.GNU_TWO_WAYS, "Take parts of each line, one below the other."),
    ],
)
def test_what_a_command_does_is_found(text, description):
    assert description in read_help(text).description


def test_descriptions_go_on_over_lines():
    properties = shape(helps.ARGPARSE, "shop").schema["properties"]
    assert properties["name"]["description"] == "who buys; the full name"
    assert properties["item"]["description"] == "what to sell"


def test_colours_and_overstrikes_are_taken_off():
    (option,) = read_help(helps.BOLD).options
    assert (option.names, option.description) == (("--all",), "All of it.")


@pytest.mark.parametrize(
    ("line", "names", "negative", "style"),
    [
        ("-v", ("-v",), "", "flag"),
        ("--[no-]color", ("--color",), "--no-color", "flag"),
        ("--shout / --no-shout  Loudly.", ("--shout",), "--no-shout", "flag"),
        ("--warm / -C, --cold  Heat it.", ("--warm", "-C"), "--cold", "flag"),
        ("-f FILE, --file FILE  Read it.", ("-f", "--file"), "", "value"),
        ("--file=FILE", ("--file",), "", "value"),
        ("--color[=WHEN]", ("--color",), "", "optional value"),
        ("--path PATH  May be used multiple times.", ("--path",), "", "repeated"),
        ("-var 'a=b'  Use it more than once to set more.", ("-var",), "", "repeated"),
        ("--env list  Set variables", ("--env",), "", "repeated"),
        ("--output <list>  output columns", ("--output",), "", "value"),
        ("--map MAP  As argparse writes any.", ("--map",), "", "value"),
        ("--ids (list)", ("--ids",), "", "spaced"),
        ("--at FLOAT...  As click writes a point.", ("--at",), "", "spaced"),
        ("--at       <float,float>...  As Typer writes a point.", ("--at",), "", "spaced"),
        ("--skip PATTERN...  As others repeat.", ("--skip",), "", "repeated"),
        ("--exclude [FILE ...]  Leave out.", ("--exclude",), "", "spaced"),
        ("-single-dash string  As Go writes them", ("-single-dash",), "", "value"),
        ("-n, --no-verify  Skip hooks.", ("-n", "--no-verify"), "", "flag"),
        ("-p, --port     As yargs writes types.     [number]", ("-p", "--port"), "", "value"),
        ("-n, --names    Them     [array] [default: []]", ("-n", "--names"), "", "repeated"),
        ("-l, --letters <letters...>  As commander writes.", ("-l", "--letters"), "", "spaced"),
        ("--hooks, --no-hooks  Or not.", ("--hooks",), "--no-hooks", "flag"),
        ("-l N, --length=N  Cut there.", ("-l", "--length"), "", "value"),
        ("--size SIZE SIZE  Width and height.", ("--size",), "", "spaced"),
        ("--null      -T reads names that end in NUL", ("--null",), "", "flag"),
        ("--name-status show names and status.", ("--name-status",), "", "flag"),
        ("-r, --require=...  a module to load", ("-r", "--require"), "", "value"),
        ("-b     : Warn, as Python writes it.", ("-b",), "", "flag"),
        ("-W arg : Warn so.", ("-W",), "", "value"),
        ("-u, --user <user:word> Server user and password", ("-u", "--user"), "", "value"),
        (
            "--exclude-all=FILE leave out directories that hold FILE",
            ("--exclude-all",),
            "",
            "value",
        ),
        ("--brk[=port] begin at the start and wait", ("--brk",), "", "optional value"),
        ("--pause   Pause while at it (default true)", ("--pause",), "--pause=false", "flag"),
        ("--arg a v   set variable $a to value <v>;", ("--arg",), "", "spaced"),
        ("--move <from> <to>  One by one.", ("--move",), "", "spaced"),
        ("-R, --repo [HOST/]OWNER/REPO  As gh writes it.", ("-R", "--repo"), "", "value"),
        ("--publish [HOST:]PORT  Open it.", ("--publish",), "", "value"),
        ("--color [WHEN]  Show it so.", ("--color",), "", "optional value"),
        ("-L|--listfiles <package>...  As dpkg does.", ("-L", "--listfiles"), "", "spaced"),
        ("-r|--remove  <package>... | -a|--pending", ("-r", "--remove"), "", "spaced"),
        ("--unpack     <.deb file name>... | -R|--recursive", ("--unpack",), "", "spaced"),
        ("-o name, --output other  Write there.", ("-o", "--output"), "", "value"),
    ],
)
def test_an_option_s_line_is_taken_apart(line, names, negative, style):
    option = read_option(line)
    assert (option.names, option.negative, option.style) == (names, negative, style)


def test_dpkg_s_options_are_followed_by_their_packages():
    made = shape(
        "Usage: dpkg [<option>...] <command>\n\nCommands:\n"
        "  -L|--listfiles <package>...      List files 'owned' by package(s).\n"
        "  -i|--install       <.deb file name>... | -R|--recursive <directory>...\n",
        "dpkg",
    )
    assert types(made.schema)["install"] == types(made.schema)["listfiles"] == STRINGS
    assert argument_list(made, {"listfiles": ["bash", "sed"]}) == ["--listfiles", "bash", "sed"]
    assert argument_list(made, {"install": ["./a.deb"]}) == ["--install", "./a.deb"]


def test_a_value_that_the_help_sets_apart_is_a_word_of_its_own():
    assert read_option("--indent n      use n spaces").apart  # jq reads no --indent=2


def test_click_says_last_in_brackets_what_is_required():
    option = read_option("--key TEXT  A key.  [env var: KEY; required]")
    assert (option.required, option.description) == (True, "A key.  [env var: KEY]")


def test_a_dash_between_two_names_is_no_value():
    assert read_option("-a - --all  Scan the entire file").style == "flag"


def test_a_colon_behind_choices_is_none_of_them():
    assert read_option("--check always|never:").schema["enum"] == ["always", "never"]


def test_a_number_or_a_name_is_any_word():
    assert read_option("-x --hex-dump=<number|name>  Dump it").schema == {"type": "string"}


def test_an_amount_of_memory_may_have_a_unit():
    assert read_option("-m, --memory bytes  Memory limit").schema == {"type": "string"}


@pytest.mark.parametrize("heading", ["Output control:", "Output options:", "Notes options:"])
def test_options_of_the_output_are_options(heading):
    read = read_help(f"Usage: seek WORD\nSeek words.\n\n{heading}\n  -c, --count  Only count.\n")
    assert [option.names for option in read.options] == [("-c", "--count")]


@pytest.mark.parametrize(
    ("text", "usages", "description"),
    [
        ("Usage: make [target]\nOptions:\n  -B  All.\n", ["make [target]"], ""),
        ("Usage\n\n  cmake [options] <path>\n\nMake.\n", ["cmake [options] <path>"], "Make."),
        ("usage: git x [-v]\n\nGeneric options\n    -v  Say more\n", ["git x [-v]"], ""),
        ("unknown option -- -\nusage: ssh HOST\n", ["ssh HOST"], ""),
        ("ls: illegal option -- -\nusage: ls FILE\n", ["ls FILE"], ""),
        ("Usage: curl <url>\n -d, --data <data>  Send it\n", ["curl <url>"], ""),
        (
            "Usage: unzip file\n  Default action is to extract files in list to exdir.\n",
            ["unzip file"],
            "Default action is to extract files in list to exdir.",
        ),
    ],
)
def test_usage_and_description_end_where_something_else_begins(text, usages, description):
    read = read_help(text)
    assert (read.usages, read.description) == (usages, description)


def test_apt_sets_a_dash_between_a_command_and_what_it_does():
    text = "Usage: apt COMMAND\n\nMost used commands:\n  update - Fetch lists\n  list - List all\n"
    assert [(each.name, each.description) for each in read_help(text).commands] == [
        ("update", "Fetch lists"),
        ("list", "List all"),
    ]


def test_one_usage_line_may_be_of_several_commands():
    usage = read_usages(["apt install|remove PKG [PKG ...]"], ("apt", "remove"))
    assert [(each.name, each.repeated) for each in usage.positionals] == [("PKG", True)]


@given(st.text(alphabet="-=[]<>{}()|.,: \n\tabAB1*│╭╰\x08\x1b", max_size=200))
def test_no_help_is_too_strange_to_be_read(text):
    read = read_help(text)
    shape_of("x", read, read_usages(read.usages, ("x",)))


def test_info_zip_sets_options_in_two_columns_and_their_values_in_the_usage():
    read = shape(helps.ZIP, "zip")
    assert list(read.options) == ["f", "u", "r", "j", "x", "i", "F", "D", "e", "n"]
    properties = read.schema["properties"]
    assert properties["u"]["description"] == "update: only changed or new files"
    assert properties["D"]["description"] == "do not add directory entries"
    assert [properties[name]["type"] for name in ("e", "n", "x")] == ["boolean", "string", "array"]
    assert list(read.positionals) == ["zipfile", "list"]
    # No name stands alone behind -x: zip would take all that follows for names.
    given = {"x": ["*.o", "*.c"], "n": ".png", "zipfile": "z.zip", "list": ["a", "b"]}
    assert argument_list(read, given) == ["-x*.o", "-x*.c", "-n.png", "z.zip", "a", "b"]


def test_letters_of_one_word_are_no_sub_commands():
    read = read_help(helps.AR)
    assert read.commands == []
    made = shape(helps.AR, "ar")
    assert list(made.positionals) == ["operation", "member_name", "archive_file", "file"]
    said = made.schema["properties"]["operation"]["description"]
    assert said.startswith("Written as [-]{dmpqrstx}[abcDfilMNoOPsSTuvV]. d: delete file(s)")
    assert "r[ab][f][u]: replace" in said
    assert "[c]: do not warn" in said
    given = {"operation": "rcs", "archive_file": "l.a", "file": ["x.o"], "thin": True}
    assert argument_list(made, given) == ["--thin", "rcs", "l.a", "x.o"]
    assert made.schema["properties"]["target"]["description"].startswith("specify the target")
    assert made.schema["properties"]["thin"]["description"] == "make a thin archive"


def test_npm_says_above_the_options_which_repeat_which_are_on_and_what_stands_for_values():
    made = shape(helps.NPM, "npm", "audit")
    assert made.schema["properties"]["omit"]["items"]["enum"] == ["dev", "optional", "peer"]
    assert made.schema["properties"]["preid"]["type"] == "string"
    given = {"workspace": ["a", "b"], "omit": ["dev"], "package_lock": False, "json": False}
    words = ["--no-package-lock", "--omit", "dev", "--workspace", "a", "--workspace", "b"]
    assert argument_list(made, given) == words


@pytest.mark.parametrize(
    ("usage", "name", "said"),
    [
        ("npm audit [fix|signatures]", "fix_or_signatures", "Written as fix | signatures."),
        ("npm audit [<new> | major | minor]", "new", "Written as <new> | major | minor."),
        ("npm audit [FILE|URL]", "FILE_or_URL", "Written as FILE | URL."),
    ],
)
def test_one_of_several_things_in_brackets_is_one_argument(usage, name, said):
    (positional,) = read_usages([usage], ("npm", "audit")).positionals
    assert (positional.name, positional.required) == (name, False)
    assert positional.description == said


def test_gcc_hands_options_on_behind_a_comma():
    text = "Usage: gcc file...\nOptions:\n  -Wl,<options>  Pass <options> on to the linker.\n"
    made = shape(text, "gcc")
    assert argument_list(made, {"wl": "-rpath,/a", "file": ["x.c"]}) == ["-Wl,-rpath,/a", "x.c"]


def test_braces_within_braces_are_no_list_of_words():
    line = "--help={common|params|[^]{joined|separate}}[,...]  Display options."
    assert read_option(line).schema == {"type": "string"}


def test_what_stands_for_digits_is_no_option():
    text = "Usage: grep WORD\n  -C, --context=NUM  print context\n  -NUM  same as --context=NUM\n"
    (option,) = read_help(text).options
    assert (option.sent_as, option.description) == ("--context", "print context")


@pytest.mark.parametrize(
    ("line", "enum"),
    [
        ("--city [New York|Paris]  Where.", ["New York", "Paris"]),
        ("--as [text/html|text/plain]  How.", ["text/html", "text/plain"]),
        ("--of [R&D|Tom's, Ltd]", ["R&D", "Tom's, Ltd"]),
    ],
)
def test_choices_of_click_may_hold_more_than_letters(line, enum):
    option = read_option(line)
    assert (option.style, option.schema) == ("value", {"type": "string", "enum": enum})


def test_a_default_that_is_an_empty_list_tells_that_an_option_repeats():
    assert read_option("--ulimit ulimit  Ulimit options (default [])").style == "repeated"
