package store

// Scope is the set of objects that an operation can see: those of one project, or of all projects.
type Scope struct {
	Project string // canonical UUID; the owner of created objects
	All     bool   // all projects are visible, for root
}

// where adds the condition that restricts a statement to the scope.
func (sc Scope) where(e *Entity, c *conditions, indexed bool) {
	if !sc.All {
		c.equal("t."+e.project, sc.Project, indexed)
	}
}
