
default-domain = "@example.com"
server "mail.example.net" {}
