package store

// Scope is the set of objects that an operation can see: those of one project, or all.
type Scope struct {
	Project string // canonical UUID; owner of what is created
	All     bool   // root
}

// where appends the condition that keeps a statement inside the scope.
func (sc Scope) where(e *Entity, c *conditions, indexed bool) {
	if !sc.All {
		c.equal("t."+e.project, sc.Project, indexed)
	}
}
