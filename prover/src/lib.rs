//! What a worker commits: intervals, trees, claims, and the frauds that they can hold.
