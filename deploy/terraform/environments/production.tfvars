environment = "production"
region      = "eu-west-1"
domain      = "api.example.com"
zone_id     = "Z0123456789ABCDEFGHIJ"

shards = {
  north = { port = 8000 }
  south = { port = 8000 }
  west  = { port = 8000 }
}

cidr              = "10.30.0.0/16"
zone_count        = 3
nat               = "per_zone"
task              = { cpu = 2048, memory = 4096 }
tasks             = { min = 3, max = 12 }
bake_time_minutes = 15
waf_enabled       = true
notified_emails   = ["oncall@example.com"]
