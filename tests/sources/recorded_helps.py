"""Help texts in the layouts of the frameworks, written for these tests."""

ARGPARSE = """\
usage: shop [-h] [--verbose] [--colour {red,blue}] --name NAME
            [--tags TAG [TAG ...]] [--size W H] [--count COUNT]
            item [more ...]

Sell things.

positional arguments:
  item                  what to sell
  more                  what else

options:
  -h, --help            show this help message and exit
  --verbose, -v         say more
  --colour {red,blue}   its colour
  --name NAME           who buys;
                        the full name
  --tags TAG [TAG ...]  labels
  --size W H            width and height
  --count COUNT         how many (default: 1)
"""

ARGPARSE_TREE = """\
usage: shop [-h] {buy,sell} ...

positional arguments:
  {buy,sell}
    buy       Buy a thing.
    sell      Sell a thing.

options:
  -h, --help  show this help message and exit
"""

CLICK = """\
Usage: shop sell [OPTIONS] ITEM [MORE]...

  Sell a thing.

Options:
  -c, --count INTEGER        How many.  [default: 1]
  --price FLOAT              For how much.  [required]
  --size [small|large]       Its size.
  --shout / --no-shout       Loudly.
  --when [%Y-%m-%d]          The day.
  --help                     Show this message and exit.
"""

TYPER = """\

 Usage: shop sell [OPTIONS] ITEM

 Sell a thing.

╭─ Arguments ──────────────────────────────────────────────────────────────╮
│ *    item      TEXT  What to sell. [default: None] [required]            │
╰──────────────────────────────────────────────────────────────────────────╯
╭─ Options ────────────────────────────────────────────────────────────────╮
│ *  --price             FLOAT            For how much. [required]         │
│    --count    -c       INTEGER RANGE [x>=1]  How many, over             │
│                                              two lines.                  │
│    --shout        --no-shout            Loudly. [default: no-shout]      │
│    --help                               Show this message and exit.      │
╰──────────────────────────────────────────────────────────────────────────╯
╭─ Commands ───────────────────────────────────────────────────────────────╮
│ refund   Give money back.                                                │
╰──────────────────────────────────────────────────────────────────────────╯
"""

COBRA = """\
Run a thing in the cluster.

It may take a while.

Usage:
  ship run IMAGE [flags]

Examples:
  # Run it
  ship run nginx --env A=B

Flags:
      --env stringArray     Set variables
  -f, --file string         Read settings (default "ship.yaml")
  -h, --help                help for run
      --replicas int        How many (default 1)
      --wait                Wait until it runs

Global Flags:
      --debug            Say more
      --context string   The cluster
"""

COBRA_TREE = """\
Ship things.

Usage:
  ship [command]

Available Commands:
  completion  Generate the autocompletion script
  help        Help about any command
  run         Run a thing in the cluster
  stop        Stop a thing

Flags:
  -h, --help   help for ship

Use "ship [command] --help" for more information about a command.
"""

KUBECTL = """\
Display things.

Options:
    -A, --all-namespaces=false:
        If present, list them all.

    --chunk-size=500:
        Return large lists in chunks.

    -f, --filename=[]:
        Files to read.

    -o, --output='':
        Output format.

Usage:
  kube get [(-o|--output=)json|yaml|name] (TYPE[.VERSION] [NAME | -l label]) [flags] [options]
"""

AWS = """\
NAME
       describe-things -

DESCRIPTION
       Describes the things. See --filters for more.

SYNOPSIS
            describe-things
          --bucket <value>
          [--dry-run | --no-dry-run]
          [--thing-ids <value>]
          [--max-items <value>]

OPTIONS
       --bucket (string) [required]
          The bucket that holds them.

       --dry-run | --no-dry-run (boolean)
          Checks whether you may.

       --thing-ids (list)
          The IDs.

          Syntax:

          "string" "string" ...

       --max-items (integer)
          How many.

EXAMPLES
       aws things describe-things --bucket b
"""

AWS_TREE = """\
NAME
       things -

DESCRIPTION
       Things of every kind.

AVAILABLE COMMANDS
       o create-thing

       o describe-things

       o help
"""

GCLOUD = """\
NAME
    cloud things create - make a thing

SYNOPSIS
    cloud things create NAME [--async] [--labels=[KEY=VALUE,...]]
        [--machine=MACHINE; default="small"] [--zone=ZONE]
        [CLOUD_WIDE_FLAG ...]

DESCRIPTION
    Make a thing in the cloud.

POSITIONAL ARGUMENTS
     NAME
        Name of the thing.

FLAGS
     --async
        Return at once.

     --labels=[KEY=VALUE,...]
        Labels to put on it.

     --machine=MACHINE; default="small"
        Its kind.

     --zone=ZONE
        Where it stands.

CLOUD WIDE FLAGS
    These flags are available to all commands: --account, --project.
"""

GCLOUD_TREE = """\
NAME
    cloud things - manage things

SYNOPSIS
    cloud things COMMAND [CLOUD_WIDE_FLAG ...]

DESCRIPTION
    Manage things.

COMMANDS
    COMMAND is one of the following:

     create
        Make a thing.

     list
        List things.
"""

AZ = """\

Command
    az thing create : Create a thing.
        It takes a minute.

Arguments
    --name -n      [Required] : Name of the thing.
    --location -l             : Where. Values from: `az account list-locations`.
    --no-wait                 : Do not wait.
    --tags                    : Space-separated tags.

Global Arguments
    --debug                   : Increase logging verbosity.
    --output -o               : Output format.  Allowed values: json, table.

Examples
    Create one.
        az thing create --name MyThing
"""

AZ_TREE = """\

Group
    az thing : Manage things.

Subgroups:
    part   : Manage parts.

Commands:
    create : Create a thing.
    delete [Preview] : Delete a thing.

For more specific examples, use: az find "az thing"
"""

CLAP = """\
Compile a thing

Usage: tool build [OPTIONS] [PATH] [-- <ARGS>...]

Arguments:
  [PATH]  Where it lies

Options:
  -p, --package [<SPEC>]    Which one
      --color <WHEN>        Coloring [possible values: auto, always, never]
  -j, --jobs <N>            Number of jobs
  -v, --verbose...          Say more
  -h, --help                Print help
"""

GIT = """\
usage: git thing [<options>] [--] [<pathspec>...]
   or: git thing --list

    -v, --[no-]verbose    be verbose
    --porcelain[=<version>]
                          machine-readable output
    --color[=<when>]      use colors
    -m, --message <text>  what to say
    -n, --max-count <n>   how many
"""

GIT_TREE = """\
usage: git remote [-v | --verbose]
   or: git remote add [-t <branch>] [--tags | --no-tags] <name> <url>
   or: git remote remove <name>

    -v, --verbose         be verbose
"""

# GNU's programs say what they do right below their usage.
GNU = """\
Usage: glue [OPTION]... [FILE]...
Put each FILE on standard output.

Without FILE, read standard input.

  -n, --number             count the lines
      --until=END          stop there
      --help        show this and exit

Examples:
  glue f - g  First f, then standard input, then g.
"""

GNU_TWO_WAYS = """\
Usage: slice OPTION... [FILE]...
  or:  slice OPTION... --from=LIST
Take parts of each line,
one below the other.

Long options need what short ones need.
  -f, --fields=LIST       only these; and any line
                            that has none
      --backup[=KIND]     keep what was there
      --version     show it and exit

These are the kinds, which an environment variable may hold:

  none, off       keep nothing
  simple, never   keep the last
"""

GNU_GROUPS = """\
Usage: seek [OPTION]... PATTERNS [FILE]...
Look for PATTERNS in each FILE.
Example: seek -i 'some words' a.txt b.txt
PATTERNS may be several, one a line.

What fits:
  -i, --ignore-case         small letters are capitals
  -m, --max-count=NUM       stop after so many

What is shown:
      --color[=WHEN]        in colours
"""

BOLD = "N\bNA\bAM\bME\bE\n    x - y\n\nO\bOPTIONS\n    \x1b[1m--all\x1b[0m\n        All of it.\n"

ZIP = """\
Copyright (c) 1990-2008 Info-ZIP - Type 'zip "-L"' for software license.
Zip 3.0 (July 5th 2008). Usage:
zip [-options] [-b path] [-t mmddyyyy] [-n suffixes] [zipfile list] [-xi list]
  The default action is to add or replace zipfile entries from list, which
  can include the special name - to compress standard input.
  -f   freshen: only changed files  -u   update: only changed or new files
  -r   recurse into directories     -j   junk (don't record) directory names
  -x   exclude the following names  -i   include only the following names
  -F   fix zipfile (-FF try harder) -D   do not add directory entries
  -e   encrypt                      -n   don't compress these suffixes
"""

AR = """\
Usage: ar [emulation options] [-]{dmpqrstx}[abcDfilMNoOPsSTuvV] [member-name] archive-file file...
       ar -M [<mri-script]
 commands:
  d            - delete file(s) from the archive
  m[ab]        - move file(s) in the archive
  r[ab][f][u]  - replace existing or insert new file(s) into the archive
 generic modifiers:
  [c]          - do not warn if the library had to be created
  [l <text> ]  - specify the dependencies of this library
  @<file>      - read options from <file>
  --target=BFDNAME - specify the target object format as BFDNAME
  --thin       - make a thin archive
"""

NPM = """\
Run a security audit

Usage:
npm audit [fix|signatures]

Options:
[--audit-level <info|low|moderate>] [--json] [--no-package-lock]
[--omit <dev|optional|peer> [--omit <dev|optional|peer> ...]]
[--preid prerelease-id]
[-w|--workspace <workspace-name> [-w|--workspace <workspace-name> ...]]

  --audit-level
    The minimum level of vulnerability for `npm audit` to exit with

  --json
    Whether or not to output JSON data, rather than the normal output.

  --package-lock
    If set to false, then ignore `package-lock.json` files when installing.

  --omit
    Dependency types to omit from the installation tree on disk.

  --preid
    The "prerelease identifier" to use as a prefix for the "prerelease" part

  -w|--workspace
    Enable running a command in the context of the configured workspaces of the
"""
