package console

// Hash is how a policy names an inline script or style.
var Hash = hash
