
envelope-from = "%u@example.com"
server "mail.example.net" {}
