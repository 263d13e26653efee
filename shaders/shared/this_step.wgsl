// The training step that a dispatch belongs to, chosen by a dynamic offset.

@group(1) @binding(0) var<uniform> step: Step;
