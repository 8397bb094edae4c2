package packaged

import (
	"reflect"
	"slices"
	"testing"

	"trade-processing/components"
)

// renamed are the arguments that have another name here, for a duration has no type in a schema.
var renamed = map[string]string{
	"MaxClockSkew": "MaxClockSkewSeconds", "SilenceAlarmMinutes": "SilenceMinutes",
}

// leftOut are the arguments that a package can't have: Scope it asks for, APISecret would need an address that is no plain
// value, and the rest are resources of the same program.
var leftOut = []string{"APISecret", "After", "ImageAfter", "LastingGroupIDs", "Provider", "Scope"}

// A new argument of a component is packaged too, or says here why not.
func TestEveryArgumentOfAComponentIsPackaged(t *testing.T) {
	for component, here := range map[reflect.Type]reflect.Type{
		reflect.TypeFor[components.MonitoredQueueArgs]():    reflect.TypeFor[MonitoredQueueArgs](),
		reflect.TypeFor[components.QueueSender]():           reflect.TypeFor[QueueSender](),
		reflect.TypeFor[components.GlobalTradeTableArgs]():  reflect.TypeFor[GlobalTradeTableArgs](),
		reflect.TypeFor[components.TableReplica]():          reflect.TypeFor[TableReplica](),
		reflect.TypeFor[components.ContainerFunctionArgs](): reflect.TypeFor[ContainerFunctionArgs](),
		reflect.TypeFor[components.Permission]():            reflect.TypeFor[Permission](),
		reflect.TypeFor[components.ImageSource]():           reflect.TypeFor[ImageSource](),
		reflect.TypeFor[components.FunctionSize]():          reflect.TypeFor[FunctionSize](),
		reflect.TypeFor[components.TradePipelineArgs]():     reflect.TypeFor[TradePipelineArgs](),
		reflect.TypeFor[components.AdoptedNetwork]():        reflect.TypeFor[Network](),
	} {
		for field := range component.Fields() {
			name := field.Name
			if other, is := renamed[name]; is {
				name = other
			}
			_, there := here.FieldByName(name)
			if there == slices.Contains(leftOut, name) {
				t.Errorf("%v.%s: packaged: %v; say so in leftOut or in the arguments", component, field.Name, there)
			}
		}
	}
}
