environment = "staging"
region      = "eu-west-1"
domain      = "api.staging.example.com"
zone_id     = "Z0123456789ABCDEFGHIJ"

shards = {
  north = { port = 8000 }
  south = { port = 8000 }
  west  = { port = 8000 }
}

# Smaller and cheaper than production, and the same in everything else.
cidr              = "10.20.0.0/16"
nat               = "one"
task              = { cpu = 512, memory = 1024 }
tasks             = { min = 2, max = 4 }
bake_time_minutes = 2
notified_emails   = ["platform@example.com"]

deletion_protection = false
