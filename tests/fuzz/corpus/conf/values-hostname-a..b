
hostname = "a..b"
server "mail.example.net" {}
