
hostname = "h.exämple.com"
server "mail.example.net" {}
