
hostname = "h@example.com"
server "mail.example.net" {}
