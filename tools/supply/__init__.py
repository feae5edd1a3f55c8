"""What shardgate is made of: known vulnerabilities, a bill of materials, licences."""
