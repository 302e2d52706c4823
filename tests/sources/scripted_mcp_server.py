"""An MCP server over stdio that answers what it is told: ``python scripted_mcp_server.py SCRIPT``.

The script is JSON: method to a list of answers, ``{"result": …}`` or ``{"error": …}`` or null for
none. The last one is given again and again. Each call also says that the list of tools changed.
"""

import json
import sys


def send(**message) -> None:
    sys.stdout.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
    sys.stdout.flush()


def main() -> None:
    script = json.loads(sys.argv[1])
    for line in sys.stdin:
        asked = json.loads(line)
        if "id" not in asked:
            continue
        if asked["method"] == "initialize":
            answer = {
                "result": {
                    "protocolVersion": asked["params"]["protocolVersion"],
                    "capabilities": {"tools": {"listChanged": True}},
                    "serverInfo": {"name": "scripted", "version": "1"},
                }
            }
        else:
            answers = script[asked["method"]]
            answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if asked["method"] == "tools/call":
            send(method="notifications/tools/list_changed")
        if answer is not None:
            send(id=asked["id"], **answer)


if __name__ == "__main__":
    main()
