"""What must be asked of whom?"""
