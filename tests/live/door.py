"""SMTP on a loopback port, with Python's own client: see door.sh.

door.py serve PORTFILE PROGRAM ARG ...   as inetd and systemd do: a process for each connection
door.py client PORT                      talks to it; TAP
"""

import email.message
import smtplib
import socket
import subprocess
import sys
import threading


def serve(portfile, argv):
    listener = socket.create_server(("127.0.0.1", 0))
    with open(portfile + ".new", "w") as file:
        file.write(f"{listener.getsockname()[1]}\n")
    subprocess.run(["mv", portfile + ".new", portfile], check=True)
    children = []
    while True:
        connection, _ = listener.accept()
        children.append(subprocess.Popen(argv, stdin=connection, stdout=connection))
        connection.close()
        children = [child for child in children if child.poll() is None]


count = 0


def is_(what, got, wanted):
    global count
    count += 1
    print(f"{'ok' if got == wanted else 'not ok'} {count} - smtplib: {what}")
    if got != wanted:
        print(f"#   got:    {got!r}\n#   wanted: {wanted!r}")


def code_of(call, *args, **kwargs):
    """The SMTP code that a call ends with, 250 without an exception."""
    try:
        call(*args, **kwargs)
    except smtplib.SMTPRecipientsRefused as e:
        return [code for code, _ in e.recipients.values()]
    except smtplib.SMTPResponseException as e:
        return e.smtp_code
    return 250


def letter(subject, body, to="bob@example.net"):
    message = email.message.EmailMessage()
    message["From"] = "Alice <alice@example.org>"
    message["To"] = to
    message["Subject"] = subject
    message["Message-ID"] = "<1@example.org>"
    message["Date"] = "Sun, 22 Nov 2026 03:30:31 +0000"
    message.set_content(body)
    return message


def commands(smtp):
    is_("EHLO", smtp.ehlo()[0], 250)
    is_(
        "extensions",
        smtp.esmtp_features,
        {"8bitmime": "", "enhancedstatuscodes": "", "pipelining": "", "size": "2000000", "smtputf8": ""},
    )
    is_("NOOP", smtp.noop()[0], 250)
    is_("VRFY", smtp.verify("bob")[0], 252)
    is_("EXPN", smtp.expn("bob")[0], 502)
    is_("HELP", smtp.help().split()[1:3], [b"HELO", b"EHLO"])
    is_("RSET", smtp.rset()[0], 250)


def messages(smtp):
    is_("send_message", smtp.send_message(letter("hello", "It works.\n..\n.\n")), {})
    is_(
        "a recipient who is no address",
        smtp.sendmail("alice@example.org", ["bob@example.net", "<a b>"], "Subject: x\n\nx\n").keys(),
        {"<a b>"},
    )
    is_("no recipient at all", code_of(smtp.sendmail, "alice@example.org", ["<a b>"], "x"), [553])
    is_("a sender who is none", code_of(smtp.sendmail, "<a b>", ["bob@example.net"], "x"), 553)
    is_("refused", code_of(smtp.sendmail, "", ["nobody@example.net"], "x"), 554)
    is_("later", code_of(smtp.sendmail, "", ["later@example.net"], "x"), 451)
    is_("too large", code_of(smtp.sendmail, "", ["bob@example.net"], "x" * 2000001), 552)
    utf8 = letter("hé", "é\n", to="zoë@example.net")
    is_("SMTPUTF8", smtp.send_message(utf8), {})
    is_("1 MB", smtp.sendmail("", ["bob@example.net"], b"Subject: large\n\n" + b".\n" * 300000), {})


def crowd(port):
    codes = []

    def one():
        with smtplib.SMTP("127.0.0.1", port, local_hostname="client.example", timeout=20) as smtp:
            codes.append(code_of(smtp.send_message, letter("crowd", "x\n")))

    threads = [threading.Thread(target=one) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    is_("20 at a time", codes, [250] * 20)


def client(port):
    smtp = smtplib.SMTP("127.0.0.1", port, local_hostname="client.example", timeout=20)
    commands(smtp)
    messages(smtp)
    is_("QUIT", smtp.quit()[0], 221)
    crowd(port)
    with socket.create_connection(("127.0.0.1", port)) as silent:
        silent.settimeout(20)
        said = b""
        while data := silent.recv(1000):
            said += data
    is_("silence", said.splitlines()[1:], [b"421 4.4.2 waited too long for a command"])
    print(f"1..{count}")


if sys.argv[1] == "serve":
    serve(sys.argv[2], sys.argv[3:])
else:
    client(int(sys.argv[2]))
