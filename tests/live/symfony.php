<?php
// Input of libraries.sh: php symfony.php FLAGS ADDRESS..., with the sendmail transport of Symfony
// Mailer: a message to each address, by one transport; the one to Bob has copies and an attachment.
// It says what went wrong and goes on; exit code 1 then.
require 'Symfony/Component/Mailer/autoload.php';

use Symfony\Component\Mailer\Exception\TransportExceptionInterface;
use Symfony\Component\Mailer\Transport\SendmailTransport;
use Symfony\Component\Mime\Address;
use Symfony\Component\Mime\Email;

$flags = $argv[1];
$transport = new SendmailTransport($flags === '' ? null : "/usr/sbin/sendmail $flags");
$code = 0;
foreach (array_slice($argv, 2) as $n => $to) {
	$email = (new Email())
		->from(new Address('shop@lab.example', 'Shöp'))
		->to(new Address($to, 'Bob'))
		->subject("Ordér $n")
		->text("grüße\n.\n..\nFrom here\n" . str_repeat('x', 70) . ' ');
	if ($to === 'bob@example.com') {
		$email->cc('cc@example.com')->bcc('x@hidden.example', 'y@hidden.example')
			->sender('bounce@lab.example')->attach("\0\1\2", 'a.bin');
	}
	try {
		$transport->send($email);
	} catch (TransportExceptionInterface $e) {
		echo $e->getMessage(), "\n";
		$code = 1;
	}
}
exit($code);
