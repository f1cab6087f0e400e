# Input of libraries.sh: ruby mail.rb CASE, with the gem mail, which does not look at exit codes.
require 'mail'

mail = Mail.new
mail.charset = 'UTF-8'
mail.from = 'Fr <f@lab.example>'
mail.to = 'bob@example.com'
mail.subject = 'Ordér'

case ARGV[0]
when 'plain'
  mail.body = "hi\n.\nFrom here\n..\nend"
when 'all'
  mail.cc = ['Carol <carol@example.com>', '"a b"@example.com']
  mail.bcc = ['x@hidden.example', 'y@hidden.example']
  mail.sender = 'sender@lab.example'
  mail.smtp_envelope_from = 'bounce+x=y@lab.example'
  mail.body = 'grüße'
  mail.add_file(filename: 'a.bin', content: "\0\1\2")
when 'refused'
  mail.to = 'no@refused.example'
  mail.body = 'text'
end
mail.delivery_method :sendmail
mail.deliver!
