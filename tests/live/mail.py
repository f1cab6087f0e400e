# Input of libraries.sh: python3 mail.py POLICY OPTION..., as the documentation of Python does it:
# the message of email.message, in the line ends of that policy, to sendmail with these options.
import email.message
import email.policy
import subprocess
import sys

policies = {
    "default": email.policy.default,
    "smtp": email.policy.SMTP,
    "smtputf8": email.policy.SMTPUTF8,
    "compat32": email.policy.compat32,
}
policy = policies[sys.argv[1]]
message = email.message.EmailMessage(email.policy.default)
message["From"] = "Fr <f@lab.example>"
message["To"] = "Böb <bob@example.com>, carol@example.com"
message["Bcc"] = "x@hidden.example"
message["Subject"] = "Ordér, and a text that is so long that it has to go on in the next line"
message.set_content("grüße\n.\nFrom here\nend\n", cte="8bit")
command = ["/usr/sbin/sendmail"] + sys.argv[2:]
sys.exit(subprocess.run(command, input=message.as_bytes(policy=policy)).returncode)
