COMMENT
What Python hands to the exchange by way of NEURON: point processes and variables.
ENDCOMMENT

NEURON {
    SUFFIX nothing
}

VERBATIM
extern void couple_neuron_target(void*);
extern double couple_neuron_arguments(void*);
extern void couple_neuron_variable(neuron::container::data_handle<double>);
ENDVERBATIM

: A point process that is the next place for input.
FUNCTION couple_add_target() {
VERBATIM
    couple_neuron_target(ob2pntproc(*hoc_objgetarg(1)));
ENDVERBATIM
    couple_add_target = 0
}

: A variable that is the next one of a signal.
FUNCTION couple_add_variable() {
VERBATIM
    couple_neuron_variable(hoc_hgetarg<double>(1));
ENDVERBATIM
    couple_add_variable = 0
}

: Number of arguments of a point process's NET_RECEIVE.
FUNCTION couple_arguments() {
VERBATIM
    _lcouple_arguments = couple_neuron_arguments(ob2pntproc(*hoc_objgetarg(1)));
ENDVERBATIM
}
