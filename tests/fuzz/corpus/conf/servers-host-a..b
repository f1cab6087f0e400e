server "a" {

 host = "a..b"
}
