<?php
/*
 * smtp.php: SMTP clients on port 25 of this host.
 *
 *	smtp.php many N RECIPIENT BYTES HOST ...	N of them at once, connected to these addresses in
 *			turns, side by side from step to step; each sends a mail, to RECIPIENT if there is
 *			one, else to 1.RECIPIENT, 2.RECIPIENT, ...; the first has BYTES more of text
 *	smtp.php text NUMBER RECIPIENT BYTES		that mail as it should arrive
 *	smtp.php full	connects until it is hung up on; prints how many were greeted, and "room" when
 *			they have gone and another one is
 */

function fail($why)
{
	file_put_contents('php://stderr', "smtp.php: $why\n");
	exit(1);
}

function caller($host)
{
	if (strpos($host, ':') !== false)
		$host = "[$host]";
	$c = @stream_socket_client("tcp://$host:25", $number, $why, 20) or fail("$host: $why");
	stream_set_timeout($c, 20);
	return $c;
}

function reply($c)
{
	do {
		$line = fgets($c);
	} while ($line !== false && substr($line, 3, 1) === '-');
	return (string)$line;
}

function address($number, $to, $n)
{
	return $n > 1 ? "$number.$to" : $to;
}

function text($number, $to, $bytes)
{
	$line = "a line of text that is as long as lines of mail are when people write them\n";
	return "Date: Sun, 22 Nov 2026 03:30:31 +0000\nFrom: Alice <alice@lab.example>\nTo: $to\n" .
	    "Message-ID: <$number.$to>\nSubject: by SMTP\n\n.\n.dot\n" .
	    str_repeat($line, intdiv($bytes, strlen($line)));
}

function many($n, $to, $bytes, $hosts)
{
	$all = [];
	for ($i = 1; $i <= $n; $i++)
		$all[$i] = caller($hosts[$i % count($hosts)]);
	foreach ([['', '220'], ['EHLO client.lab.example', '250'], ['MAIL FROM:<alice@lab.example>', '250'],
	    ['RCPT', '250'], ['DATA', '354'], ['.', '250'], ['QUIT', '221']] as [$say, $code]) {
		foreach ($all as $i => $c) {
			$address = address($i, $to, $n);
			if ($say === 'RCPT')
				fwrite($c, "RCPT TO:<$address>\r\n");
			elseif ($say === '.')
				fwrite($c, str_replace(["\n.", "\n"], ["\n..", "\r\n"],
				    text($i, $address, $i === 1 ? $bytes : 0)) . ".\r\n");
			elseif ($say !== '')
				fwrite($c, "$say\r\n");
		}
		foreach ($all as $i => $c) {
			$got = reply($c);
			if (substr($got, 0, 3) !== $code)
				fail("$i: $say: " . trim($got));
		}
	}
}

function full()
{
	for ($all = []; count($all) < 1000; $all[] = $c) {
		$c = caller('127.0.0.1');
		if (reply($c) === '')
			break;
	}
	echo count($all), "\n";
	$all = [];
	for ($tries = 0; $tries < 200; $tries++) {
		$c = caller('127.0.0.1');
		if (reply($c) !== '') {
			echo "room\n";
			return;
		}
		usleep(50000);
	}
	fail('no room again');
}

switch ($argv[1]) {
case 'many':
	many((int)$argv[2], $argv[3], (int)$argv[4], array_slice($argv, 5));
	break;
case 'text':
	echo text((int)$argv[2], $argv[3], (int)$argv[4]);
	break;
case 'full':
	full();
	break;
}
