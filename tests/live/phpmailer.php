<?php
// Input of libraries.sh: php phpmailer.php CASE [TO], with PHPMailer. It says what went wrong; exit
// code 1 then.
require 'libphp-phpmailer/autoload.php';

use PHPMailer\PHPMailer\Exception;
use PHPMailer\PHPMailer\PHPMailer;

function message(string $to): PHPMailer
{
	$mail = new PHPMailer(true);
	$mail->setFrom('shop@lab.example', 'Shöp');
	$mail->addAddress($to, 'Bob, Jr.');
	$mail->CharSet = 'utf-8';
	$mail->Encoding = '8bit';
	$mail->Subject = 'Ordér';
	$mail->Body = "grüße\n.\nFrom here\n..\nend";
	return $mail;
}

function copies(PHPMailer $mail): PHPMailer
{
	$mail->addCC('cc@example.com');
	$mail->addBCC('x@hidden.example', 'Hidden');
	$mail->addBCC('y@hidden.example');
	$mail->Sender = 'bounce@lab.example';
	return $mail;
}

function attachment(PHPMailer $mail): PHPMailer
{
	$mail->isHTML();
	$mail->AltBody = 'text';
	$mail->addStringAttachment("\0\1\2", 'a.bin');
	return $mail;
}

$to = $argv[2] ?? 'bob@example.com';
$mail = message($to);
switch ($argv[1]) {
case 'mail':
	$mail->isMail();
	break;
case 'mail-all':
	attachment(copies($mail))->isMail();
	break;
case 'sendmail':
	$mail->isSendmail();
	break;
case 'sendmail-all':
	attachment(copies($mail))->isSendmail();
	break;
}
try {
	$mail->send();
} catch (Exception $e) {
	echo $e->getMessage(), "\n";
	exit(1);
}
