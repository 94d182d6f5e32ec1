# SPDX-License-Identifier: Apache-2.0
# Writes the commit of SOURCE, as git describes it now, into the C++ file OUTPUT, if it changed.
execute_process(COMMAND git describe --always --dirty --abbrev=12 WORKING_DIRECTORY ${SOURCE}
                OUTPUT_VARIABLE commit OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
if(NOT commit)
  set(commit unknown)
endif()
file(CONFIGURE OUTPUT ${OUTPUT} CONTENT "namespace homework {
extern const char* const commit;
const char* const commit = \"${commit}\";
} // namespace homework
")
