# Input of libraries.sh: perl email-sender.pl CASE, with Email::Sender. It says what went wrong;
# exit code 1 then.
use strict;
use warnings;
use Email::Sender::Simple qw(try_to_sendmail);
use Email::Sender::Transport::Sendmail;
use Email::Simple;
use Try::Tiny;

my %to = (
	plain => undef,
	envelope => {
		from => 'bounce@lab.example',
		to => [qw(bob@example.com x@hidden.example -dash@example.com)],
	},
	refused => { from => 'f@lab.example', to => ['no@refused.example'] },
);
my $email = Email::Simple->new(<<"MESSAGE" =~ s/\n/\r\n/gr);
From: Fr <f\@lab.example>
To: bob\@example.com,
\tCarol <carol\@example.com>
Subject: s
Date: Sun, 22 Nov 2026 03:30:34 +0000
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: 8bit

gr\xc3\xbc\xc3\x9fe
.
From here

MESSAGE
my $envelope = $to{ $ARGV[0] };
my $transport = Email::Sender::Transport::Sendmail->new;
try {
	Email::Sender::Simple->send($email, { transport => $transport, $envelope ? %$envelope : () });
} catch {
	print $_->message, "\n";
	exit 1;
};
