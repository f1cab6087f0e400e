
postmaster = "pöst@example.com"
server "mail.example.net" {}
