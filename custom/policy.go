package custom

// Reason is why a policy is refused; it is the cause in a trilobite.Error.
type Reason string

// The reasons, named as the service's exceptions.
const (
	StaleRevision   Reason = "InvalidPolicyRevisionIdException"
	MalformedPolicy Reason = "MalformedPolicyDocumentException"
)

// Error returns the name.
func (r Reason) Error() string { return string(r) }
