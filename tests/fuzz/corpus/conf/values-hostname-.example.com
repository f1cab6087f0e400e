
hostname = ".example.com"
server "mail.example.net" {}
