
envelope-from = "a b@example.com"
server "mail.example.net" {}
