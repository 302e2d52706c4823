"""Commands run end to end, and what a model must not reach through them."""

import asyncio
import json
import os
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest
from langchain_core.load import dumpd
from langchain_core.tools import ToolException

from langchain_gorilla.errors import SourceError
from langchain_gorilla.sources.command_line import tools_from_command
from langchain_gorilla.sources.command_run import CommandLimits, clean_environment, run_command
from tests.sources import recorded_helps as helps

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the programs here are POSIX's")

PYTHON = [sys.executable]

# Shows its arguments, its environment, or behaves badly; its help is argparse's.
PROGRAM = """
import argparse, json, os, subprocess, sys, time

parser = argparse.ArgumentParser(prog="probe", description="Try things.")
commands = parser.add_subparsers(dest="command", required=True)
show = commands.add_parser("show", help="Show the arguments.", description="Show the arguments.")
show.add_argument("words", nargs="*")
show.add_argument("--name")
show.add_argument("-s", dest="short")
show.add_argument("--tags", nargs="+")
show.add_argument("--count", type=int, metavar="INT")
show.add_argument("--loud", action="store_true")
show.add_argument("--exec", dest="program", help="Run this.")
commands.add_parser("environment", help="Show the environment.")
commands.add_parser("sleep", help="Never end.")
commands.add_parser("children", help="Never end, in a child.")
write = commands.add_parser("write", help="Write bytes.")
write.add_argument("amount", type=int)
fail = commands.add_parser("fail", help="Fail.")
given = vars(parser.parse_args())
command = given.pop("command")
if command == "show":
    print(json.dumps(given))
elif command == "environment":
    print(json.dumps(dict(os.environ)))
elif command == "sleep":
    print("begun", flush=True)
    time.sleep(600)
elif command == "children":
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    print(child.pid, flush=True)
    time.sleep(600)
elif command == "write":
    piece = b"x" * 1_000_000
    for _ in range(given["amount"] // len(piece)):
        sys.stdout.buffer.write(piece)
else:
    print("half of it")
    sys.exit("it is broken")
"""


@pytest.fixture(scope="module")
def probe(tmp_path_factory) -> list[str]:
    path = tmp_path_factory.mktemp("probe") / "probe.py"
    path.write_text(PROGRAM)
    return [sys.executable, str(path)]


@pytest.fixture(scope="module")
def tools(probe):
    return {tool.name: tool for tool in tools_from_command(probe, name="probe", timeout_s=20)}


def limited(probe, command, **options):
    found = tools_from_command(probe, name="probe", allow=[command], **options)
    return next(tool for tool in found if tool.name == f"probe.{command}")


@pytest.fixture
def repository(tmp_path) -> Path:
    def git(*arguments):
        subprocess.run(["git", *arguments], cwd=tmp_path, check=True, capture_output=True)

    git("init", "-q")
    git("config", "user.email", "a@example.com")
    git("config", "user.name", "A")
    (tmp_path / "file.txt").write_text("text\n")
    git("add", ".")
    git("commit", "-q", "-m", "First words")
    (tmp_path / "new.txt").write_text("new\n")
    return tmp_path


def call(tool, **arguments):
    return tool.invoke({"name": tool.name, "args": arguments, "id": "1", "type": "tool_call"})


# --- End to end ---


def test_every_sub_command_is_a_tool(tools):
    names = ["show", "environment", "sleep", "children", "write", "fail"]
    assert set(tools) == {f"probe.{name}" for name in names}
    assert tools["probe.show"].description == "Show the arguments."
    assert tools["probe.sleep"].description == "Never end."
    assert tools["probe.show"].metadata == {"source": "command_line", "origin": "probe show"}


@pytest.mark.parametrize(
    "given",
    [
        {"words": ["a", "b c"], "name": "n", "count": 2, "loud": True},
        {"tags": ["x", "y"]},
        {"tags": ["x"], "words": ["a", "b"]},
        {"tags": ["-1.5", "-3"]},
        {"s": "-dash", "name": "--loud"},
        {"name": "", "words": [""]},
        {"words": ["-"]},
        {"words": ["ünï", "a\nb", "*", "~", "$HOME"]},
    ],
)
def test_arguments_arrive_as_they_are(tools, given):
    empty = {
        "words": [], "name": None, "short": None, "tags": None, "count": None, "loud": False,
        "program": None,
    }  # fmt: skip
    expected = empty | {("short" if key == "s" else key): value for key, value in given.items()}
    assert json.loads(tools["probe.show"].invoke(given)) == expected


def test_git_end_to_end(repository):
    tools = {
        tool.name: tool
        for tool in tools_from_command(
            "git", allow=["status", "log", "add", "remote *"], cwd=repository
        )
    }
    assert {"git.status", "git.log", "git.add", "git.remote.add"} <= tools.keys()
    assert "git.push" not in tools
    assert tools["git.status"].invoke({"short": True}) == "?? new.txt"
    call(tools["git.remote.add"], name="origin", url="https://example.com/x.git")
    assert "origin" in (repository / ".git" / "config").read_text()
    message = call(tools["git.add"], pathspec=["new.txt"])
    assert message.artifact.exit_code == 0
    assert tools["git.status"].invoke({"short": True}) == "A  new.txt"


def test_pip_end_to_end():
    pip = [sys.executable, "-m", "pip"]
    tools = tools_from_command(pip, allow=["show", "list"], name="pip", scan_timeout_s=240)
    by_name = {tool.name: tool for tool in tools}
    assert "Name: pydantic" in by_name["pip.show"].invoke({"package": ["pydantic"]})
    assert by_name["pip.list"].args_schema["properties"]["format"]["type"] == "string"


def test_json_tool_end_to_end(tmp_path):
    (tmp_path / "in.json").write_text('{"b": 1, "a": [2]}')
    (tool,) = tools_from_command([*PYTHON, "-m", "json.tool"], cwd=tmp_path)
    assert tool.name == "json.tool"
    text = tool.invoke({"infile": "in.json", "sort_keys": True, "indent": 1})
    assert json.loads(text) == {"a": [2], "b": 1}
    assert text.index('"a"') < text.index('"b"')
    broken = call(tool, infile="missing.json")
    assert broken.status == "error"
    assert "missing.json" in broken.content


def test_a_typer_program_end_to_end(tmp_path):
    (tmp_path / "app.py").write_text(
        "import typer\n"
        "app = typer.Typer()\n"
        "@app.command()\n"
        "def greet(name: str, times: int = 1, loud: bool = False):\n"
        '    """Greet somebody."""\n'
        "    print(*[('HI ' if loud else 'hi ') + name] * times)\n"
        "@app.command()\n"
        "def part(): ...\n"
        "app()\n"
    )
    tools = tools_from_command([*PYTHON, str(tmp_path / "app.py")], name="app", allow=["greet"])
    (tool,) = tools
    assert tool.description == "Greet somebody."
    assert tool.args_schema["required"] == ["name"]
    assert tool.args_schema["properties"]["times"]["type"] == "integer"
    assert tool.invoke({"name": "Ann", "times": 2, "loud": True}) == "HI Ann HI Ann"


def test_a_cobra_program_end_to_end(tmp_path):
    # A program that shows cobra's help and its own arguments, since none may be installed.
    (tmp_path / "tree").write_text(helps.COBRA_TREE)
    (tmp_path / "run").write_text(helps.COBRA)
    path = tmp_path / "ship"
    path.write_text(
        '#!/bin/sh\nhere=$(dirname "$0")\n'
        'case "$*" in\n'
        '"run --help") cat "$here/run";;\n--help) cat "$here/tree";;\n'
        '*--help) exit 1;;\n*-h) exit 1;;\n*) printf "%s\\n" "$@";;\nesac\n'
    )
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    tools = tools_from_command(str(path))
    assert [tool.name for tool in tools] == ["ship.run"]
    assert {each.where for each in tools.refusals} == {"ship completion", "ship stop"}
    given = {"image": "nginx", "env": ["A=1", "B=2"], "replicas": 3, "wait": True}
    words = ["run", "--env", "A=1", "--env", "B=2", "--replicas", "3", "--wait", "nginx"]
    assert tools[0].invoke(given).split() == words


async def test_commands_run_async_and_end_with_their_task(probe):
    tool = limited(probe, "sleep")
    task = asyncio.create_task(tool.ainvoke({}))
    await asyncio.sleep(0.5)
    begun = time.monotonic()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.sleep(0.3)
    assert time.monotonic() - begun < 5


def shown(tmp_path, text: str, **given) -> list[str]:
    """Return the words that a program with this help gets."""
    (tmp_path / "help").write_text(text)
    path = tmp_path / "show"
    path.write_text(
        '#!/bin/sh\ncase "$*" in --help) cat "$(dirname "$0")/help";; '
        '*) printf "%s\\n" "$@";; esac\n'
    )
    path.chmod(0o755)
    (tool,) = tools_from_command(str(path))
    return tool.invoke(given).splitlines()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"name": "x", "n": 5}, ["-n", "5", "-name", "x"]),
        ({"name": "-x"}, ["-name=-x"]),
        ({"n": -5}, ["-n-5"]),
        ({"std": "c99"}, ["-std=c99"]),
        ({"D": "X=1"}, ["-DX=1"]),
        ({"var": ["a=1", "b=2"]}, ["-var", "a=1", "-var", "b=2"]),
    ],
)
def test_options_of_one_dash_have_their_values_beside_them(tmp_path, given, words):
    text = (
        "Usage: show [options]\n\nOptions:\n  -n int  How many.\n  -name string  Its name.\n"
        "  -std=<standard>  Which.\n  -D<macro>  Define it.\n"
        "  -var value  May be used multiple times.\n"
    )
    assert shown(tmp_path, text, **given) == words


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"output": "x y"}, ["--output", "x y"]),
        ({"output": "-x"}, ["--output=-x"]),
        ({"header": ["A: 1", "B: 2"]}, ["--header", "A: 1", "--header", "B: 2"]),
        ({"level": 3}, ["--level=3"]),
        ({"when": "never"}, ["--when=never"]),
    ],
)
def test_a_value_is_a_word_of_its_own_where_the_help_writes_it_so(tmp_path, given, words):
    text = (
        "Usage: show [options...]\n -o, --output <file>    Write there\n"
        " -H, --header <line>    May be used multiple times\n --level=N    How far\n"
        " --when [WHEN]    Or not\n"
    )
    assert shown(tmp_path, text, **given) == words


def test_a_flag_of_go_s_that_is_on_can_be_turned_off(tmp_path):
    text = "Usage: show [OPTIONS]\n\nOptions:\n      --pause   Pause it (default true)\n"
    assert shown(tmp_path, text, pause=False) == ["--pause=false"]


def test_an_option_of_two_values_gets_both(tmp_path):
    text = "Usage: show [options] <filter>\n\n  --arg a v     set variable $a to value <v>;\n"
    assert shown(tmp_path, text, arg=["x", "1"], filter=".") == ["--arg", "x", "1", "."]


def test_paths_stand_behind_the_dashes_that_the_usage_sets_before_them(tmp_path):
    text = "Usage: show [<options>] [[--] <path>...]\n   or: show <rev>\n\n    -v  More\n"
    assert shown(tmp_path, text, path=["a"], rev="b", v=True) == ["-v", "b", "--", "a"]


FIND = """\
Usage: find [-H] [path...] [expression]

Tests (N can be +N or -N or N):
      -depth -maxdepth LEVELS
       -mtime N -name PATTERN -nouser -nogroup
      -size N[bcwkMG] -true -type [bcdpflsD]

Actions:
      -delete -print -exec COMMAND {} + -ok COMMAND ;
"""


def test_an_option_without_its_value_takes_none_of_the_arguments(tmp_path):
    text = "Usage: show [OPTIONS] [FILE]...\n\n  --log [NAME]  Write a log.\n"
    assert shown(tmp_path, text, log=True, file=["a"]) == ["--log", "--", "a"]
    assert shown(tmp_path, text, log="x", file=["a"]) == ["--log=x", "a"]


def test_find_takes_its_options_one_by_one_behind_the_paths(tmp_path):
    given = {"path": ["a", "b"], "mtime": "-7", "nogroup": True, "size": "+5k", "type": "f"}
    words = ["a", "b", "-mtime", "-7", "-nogroup", "-size", "+5k", "-type", "f"]
    assert shown(tmp_path, FIND, **given) == words


def test_systemctl_says_behind_a_command_what_it_takes(tmp_path):
    text = (
        "show [OPTIONS...] COMMAND ...\n\nUnit Commands:\n"
        "  list [PATTERN...]    List units\n  start UNIT...        Start units,\n"
        "                       one or more\n\nOptions:\n     --quiet   Say less\n"
    )
    (tmp_path / "help").write_text(text)
    path = tmp_path / "show"
    path.write_text(
        '#!/bin/sh\ncase "$*" in *--help) cat "$(dirname "$0")/help";; *) printf "%s\\n" "$@";; esac\n'
    )
    path.chmod(0o755)
    for allow in (None, ["start"]):
        tool = tools_from_command(str(path), allow=allow)[-1]
        assert (tool.name, tool.description) == ("show.start", "Start units, one or more")
        assert tool.args_schema["required"] == ["unit"]
        words = ["start", "--quiet", "a", "b"]
        assert tool.invoke({"unit": ["a", "b"], "quiet": True}).splitlines() == words


def test_what_is_not_said_is_not_said_backwards(tmp_path):
    text = "Usage: show [FILE]\n\n  -s, --no-messages  Say nothing.\n"
    assert shown(tmp_path, text, no_messages=False, file="x") == ["x"]


def test_git_finds_the_log_of_a_path_that_is_gone(repository):
    for words in (["rm", "-q", "file.txt"], ["commit", "-q", "-m", "Last words"]):
        subprocess.run(["git", *words], cwd=repository, check=True, capture_output=True)
    (log,) = tools_from_command("git", allow=["log"], cwd=repository)
    assert "First words" in log.invoke({"path": ["file.txt"]})


def test_helps_are_asked_for_in_english(tmp_path, monkeypatch):
    monkeypatch.setenv("LANG", "de_DE.UTF-8")
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
    path = tmp_path / "show"
    path.write_text(
        '#!/bin/sh\ncase "$LC_ALL" in de*) word=Aufruf;; *) word=Usage;; esac\n'
        'echo "$word: show FILE"\n'
    )
    path.chmod(0o755)
    (tool,) = tools_from_command(str(path))
    assert tool.invoke({"file": "x"}) == "Aufruf: show FILE"


def test_a_command_that_shares_a_help_has_the_description_of_its_line(tmp_path):
    path = tmp_path / "apt"
    path.write_text(
        "#!/bin/sh\ncat << END\nUsage: apt [options] COMMAND\n       apt install|remove PKG\n\n"
        "Manages packages.\n\nCommands:\n  update - Fetch lists\n  install - Add a package\nEND\n"
    )
    path.chmod(0o755)
    for allow in (None, ["update", "install"]):
        update, install = tools_from_command(str(path), allow=allow)
        assert (update.description, install.description) == ("Fetch lists", "Add a package")
        assert update.args_schema["properties"] == {}
        assert install.args_schema["required"] == ["pkg"]


# --- What a model must not reach ---


@pytest.mark.parametrize(
    "value",
    [
        "; touch {}", "$(touch {})", "`touch {}`", "| touch {}", "&& touch {}", "\n touch {}",
        "> {}", "' ; touch {} ; '", '" ; touch {} ; "',
    ],
)  # fmt: skip
def test_no_shell_reads_what_a_model_writes(tools, tmp_path, value):
    target = tmp_path / "made"
    text = value.format(target)
    shown = json.loads(tools["probe.show"].invoke({"words": [text], "name": text, "s": text}))
    assert shown["words"] == [text]
    assert shown["name"] == text
    assert not target.exists()


@pytest.mark.parametrize("value", ["--name=x", "-s", "--exec=touch", "--", "-x y"])
def test_no_value_becomes_an_option(tools, value):
    refused = call(tools["probe.show"], words=[value])
    assert refused.status == "error"
    assert "begins with a dash" in refused.content
    assert "begins with a dash" in call(tools["probe.show"], tags=["a", value]).content
    if value != "--":  # argparse itself makes an empty list of it
        assert json.loads(tools["probe.show"].invoke({"name": value}))["name"] == value


def test_a_negative_number_that_is_the_name_of_an_option_is_no_value(tmp_path):
    text = "Usage: show [OPTIONS]\n\n  -4  Old addresses.\n  --at X Y  Where.\n"
    assert "begins with a dash" in shown(tmp_path, text, at=["-4", "2"])[0]


def test_what_the_schema_does_not_offer_cannot_be_given(tools):
    refused = call(tools["probe.show"], program="touch")
    assert refused.status == "error"
    assert "expected only the keys" in refused.content


def test_options_that_run_programs_are_left_out_and_named(probe):
    found = tools_from_command(probe, name="probe", allow=["show"])
    assert "exec" not in found[0].args_schema["properties"]
    assert [str(each) for each in found.refusals] == [
        "probe show --exec: The option names a program to run."
    ]


def test_nul_is_refused(tools):
    assert "NUL" in call(tools["probe.show"], name="a\0b").content


def test_secrets_of_the_environment_stay_there(probe, monkeypatch):
    monkeypatch.setenv("SERVICE_API_KEY", "very secret")
    tool = limited(probe, "environment", environment={"GIVEN": "on purpose"})
    environment = json.loads(tool.invoke({}))
    assert "very secret" not in environment.values()
    assert environment["GIVEN"] == "on purpose"
    assert environment["NO_COLOR"] == "1"
    allowed = {*clean_environment({"GIVEN": ""}), "LC_CTYPE", "__CF_USER_TEXT_ENCODING"}
    assert environment.keys() <= allowed


def test_secrets_of_the_environment_are_in_no_repr(probe):
    tool = limited(probe, "environment", environment={"SERVICE_API_KEY": "very secret"})
    assert "very secret" not in f"{tool!r} {tool} {dumpd(tool)}"


def test_a_command_that_never_ends_is_stopped(probe):
    begun = time.monotonic()
    message = call(limited(probe, "sleep", timeout_s=1.5))
    assert time.monotonic() - begun < 10
    assert message.status == "error"
    assert "stopped after 1.5 seconds" in message.content


def test_its_children_are_stopped_with_it(probe):
    message = call(limited(probe, "children", timeout_s=2))
    child = int(message.content.split()[-1])
    time.sleep(0.2)
    state = Path(f"/proc/{child}/stat")
    assert not state.exists() or state.read_text().split()[2] == "Z"


def test_a_gigabyte_of_output_stops_the_command_and_fills_no_memory(probe):
    tool = limited(probe, "write", max_bytes=2_000_000)
    begun = time.monotonic()
    message = call(tool, amount="1000000000")
    assert message.status == "error"
    assert "wrote over 2000000 bytes" in message.content
    assert len(message.content) < 5_000
    assert time.monotonic() - begun < 20
    result = run_command([*tool.argv, "1000000000"], CommandLimits(20, 2_000_000))
    assert len(result.stdout) == 2_000_000
    assert result.is_cut


def test_long_output_is_cut_and_whole_in_the_artifact(probe):
    message = call(limited(probe, "write"), amount="1000000")
    assert len(message.content) < 21_000
    assert "more characters are left out" in message.content
    assert len(message.artifact.stdout) == 1_000_000


def test_a_failure_is_an_error_that_shows_what_was_written(tools):
    message = call(tools["probe.fail"])
    assert message.status == "error"
    assert "exit code 1" in message.content
    assert "half of it" in message.content
    assert "it is broken" in message.content


def test_a_failure_without_a_word_says_so(repository):
    (grep,) = tools_from_command("git", allow=["grep"], cwd=repository)
    assert (
        call(grep, pattern="nowhere").content
        == "git.grep failed with exit code 1 and wrote nothing."
    )


# --- Finding out ---


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        ("no-such-program-anywhere", "no program"),
        ("", "No command"),
        ("sh", "runs any program"),
        ("env ls", "runs any program"),
        ("timeout 5 ls", "runs any program"),
        ("git 'log", "Close the quote"),
    ],
)
def test_what_is_no_program_is_an_error(command, reason):
    with pytest.raises(SourceError, match=reason):
        tools_from_command(command)


def test_a_program_that_starts_any_other_is_none(tmp_path):
    path = tmp_path / "unshare"
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    with pytest.raises(SourceError, match="runs any program"):
        tools_from_command([str(path)])


@pytest.mark.parametrize(
    ("allow", "names"),
    [
        (["show"], {"probe.show"}),
        (["s*"], {"probe.show", "probe.sleep"}),
        (["show", "write"], {"probe.show", "probe.write"}),
    ],
)
def test_only_what_is_allowed_becomes_a_tool(probe, allow, names):
    found = tools_from_command(probe, name="probe", allow=allow)
    assert {tool.name for tool in found} == names


def test_one_pattern_may_be_a_text(probe):
    found = tools_from_command(probe, name="probe", allow="show")
    assert [tool.name for tool in found] == ["probe.show"]


def test_a_folder_that_is_not_there_is_the_caller_s_mistake(probe, tmp_path):
    with pytest.raises(SourceError, match=r"no folder .*missing"):
        tools_from_command(probe, cwd=tmp_path / "missing")


def test_allowing_nothing_that_there_is_is_an_error(probe):
    with pytest.raises(SourceError, match=r"no command that nothing\* allows"):
        tools_from_command(probe, name="probe", allow=["nothing*"])


def test_what_lies_deeper_or_takes_too_long_is_refused_by_name(probe):
    deeper = tools_from_command(probe, name="probe", depth=0)
    assert {each.where for each in deeper.refusals} >= {"probe show", "probe sleep"}
    assert all("Raise depth" in each.reason for each in deeper.refusals)
    late = tools_from_command(probe, name="probe", scan_timeout_s=0.0)
    assert [each.where for each in late.refusals] == ["probe"]
    assert "scan_timeout_s" in late.refusals[0].reason


def test_a_program_without_help_is_refused(tmp_path):
    path = tmp_path / "mute"
    path.write_text("#!/bin/sh\nexit 0\n")
    path.chmod(0o755)
    assert [str(each) for each in tools_from_command(str(path)).refusals] == [
        "mute: It has no help that can be read."
    ]


def test_a_program_that_goes_away_is_an_error_for_the_model(tmp_path):
    path = tmp_path / "gone"
    path.write_text("#!/bin/sh\necho 'Usage: gone [OPTIONS] FILE'\n")
    path.chmod(0o755)
    (tool,) = tools_from_command(str(path))
    path.unlink()
    with pytest.raises(ToolException, match="cannot be started"):
        tool.call({"file": "x"})


def test_a_negative_number_by_its_place_is_refused_as_one(tmp_path):
    said = shown(tmp_path, "Usage: seq FIRST INCREMENT LAST\n", first="9", increment="-1", last="1")
    assert "no negative number can stand here" in said[0]
    assert "./-name" not in said[0]
