
envelope-from = "<a@example.com>"
server "mail.example.net" {}
