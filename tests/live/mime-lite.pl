# Input of libraries.sh: perl mime-lite.pl CASE, with MIME::Lite, which takes /usr/lib/sendmail and
# leaves Bcc in. Exit code 1 when it says that it failed.
use strict;
use warnings;
use MIME::Lite;

my %add = (
	plain => [],
	all => [
		Cc => 'Carol <carol@example.com>',
		Bcc => 'x@hidden.example, y@hidden.example',
		'Return-Path' => '<r@lab.example>',
	],
	refused => [],
);
my $message = MIME::Lite->new(
	From => 'Fr <f@lab.example>',
	To => $ARGV[0] eq 'refused' ? 'no@refused.example' : 'bob@example.com',
	Subject => 's',
	Data => "hi\n.\nFrom here\ngr\xc3\xbc\xc3\x9fe",
	Encoding => '8bit',
	@{ $add{ $ARGV[0] } },
);
$message->attr('content-type.charset' => 'UTF-8');
exit($message->send ? 0 : 1);
