<?php
// Input of php.sh: php mail.php CASE. Exit code 0 when mail() says that it went well, else 1.
$cases = [
	'plain' => ['bob@example.com', 'Subj', "line1\nline2\r\n.\nend"],
	'header-string' => ['Bob <bob@example.com>, c@example.com', '=?UTF-8?B?w7w=?=', "héllo\n",
		"From: web@lab.example\r\nCc: Cc <cc@example.com>\nBcc: x@hidden.example,\r\n\ty@hidden.example\r\nX-A: 1"],
	'header-array' => ['bob@example.com', 'Subj', 'body',
		['From' => 'Shop <shop>', 'Reply-To' => 'help', 'Bcc' => 'z@hidden.example', 'X-B' => "folded\r\n here"],
		'-fbounce@lab.example'],
	'two-words' => ['bob@example.com', 'Subj', 'body', '', '-f bounce@lab.example -oi'],
	'null-sender' => ['bob@example.com', 'Subj', 'body', 'From: auto@lab.example', '-f<>'],
	'evil' => ['bob@example.com', 'Subj', 'body', '', '-X/run/evil -OQueueDirectory=/run/evil.d -bm'],
	'other-configuration' => ['bob@example.com', 'Subj', 'body', '', '-C/run/evil'],
	'queue-first' => ['bob@example.com', 'Subj', "line1\nline2\r\n.\nend", '', '-odq'],
	'long' => ['bob@example.com', 'Subj', str_repeat(str_repeat('0123456789', 150) . "\n", 1000)],
	'refused' => ['no@refused.example', 'Subj', 'body'],
	'later' => ['no@later.example', 'Subj', 'body'],
	'nobody' => ['', 'Subj', 'body'],
];
exit(mail(...$cases[$argv[1]]) ? 0 : 1);
