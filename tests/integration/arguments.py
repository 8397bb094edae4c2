"""Prints what the AWS CLI takes: of each command on standard input, one "service operation [waiter]" a line, its arguments
and whether they are required, as a JSON object. A command that the CLI doesn't have is null."""

import json
import sys

from awscli.clidriver import create_clidriver

driver = create_clidriver()
services = driver._get_command_table()
found = {"": {name: False for name in driver._get_argument_table()}}
for line in sys.stdin:
    words = line.split()
    command = services.get(words[0])
    operations = command._get_command_table() if command else {}
    command = operations.get(words[1])
    if command and words[1] == "wait":
        command = command.subcommand_table.get(words[2]) if len(words) > 2 else None
    found[line.strip()] = command and {name: bool(argument.required) for name, argument in command.arg_table.items()}
json.dump(found, sys.stdout)
