"""The AWS CLI without its start, which takes half a second: python3 aws.py serve SOCKET, then aws.py call SOCKET WORD….

Each call is a child of the server, with the caller's arguments, environment, folder and files.
"""
import json, os, socket, sys


def serve(path):
    from awscli.clidriver import create_clidriver

    driver = create_clidriver()
    for command in "dynamodb list-tables", "events list-rules", "sqs list-queues", "stepfunctions list-activities":
        driver.main([*command.split(), "--endpoint-url", "http://127.0.0.1:9"])  # fails, and children find it all loaded
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen(64)
    print("ready", flush=True)
    while True:
        connection, _ = listener.accept()
        if os.fork() == 0:
            if os.fork() == 0:  # nobody has to wait for a grandchild
                answer(driver, connection)
            os._exit(0)
        os.wait()
        connection.close()


def answer(driver, connection):
    code = 255
    try:
        asked, files, _, _ = socket.recv_fds(connection, 1 << 20, 3)
        asked = json.loads(asked)
        for number, file in enumerate(files):
            os.dup2(file, number)
        os.chdir(asked["folder"])
        os.environ.clear()
        os.environ.update(asked["environment"])
        os.environ["AWS_DEFAULT_REGION"] = os.environ["AWS_REGION"]  # version 1 reads this one only
        code = driver.main(asked["words"]) or 0
        sys.stdout.flush()
    finally:
        connection.sendall(bytes([code]))
        os._exit(0)


def call(path, *words):
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(path)
    asked = {"words": words, "folder": os.getcwd(), "environment": dict(os.environ)}
    socket.send_fds(connection, [json.dumps(asked).encode()], [0, 1, 2])
    sys.exit(ord(connection.recv(1) or b"\xff"))


if __name__ == "__main__":
    {"serve": serve, "call": call}[sys.argv[1]](*sys.argv[2:])
