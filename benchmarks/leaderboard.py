"""
A leaderboard of 100,000 members under 1,000 updates a second: `add_score` in two processes for random members,
while somebody watches the top and others ask for their rank.
"""
