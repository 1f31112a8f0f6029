# SPDX-License-Identifier: Apache-2.0
# Debian packages, one for each component: `cpack --config <build>/CPackConfig.cmake`. The daemon's package carries DuckDB
# as a private library; a researcher's has nothing of it, nor of SQLite; a witness's has no database at all. The gateway's package comes with the gateway.
set(packaging ${CMAKE_SOURCE_DIR}/service/packaging)

# What only a package has: `cmake --install` leaves the system's folders alone.
install(FILES ${packaging}/godwit.service DESTINATION lib/systemd/system COMPONENT server EXCLUDE_FROM_ALL)
install(FILES ${packaging}/godwit-signer.service DESTINATION lib/systemd/system COMPONENT server EXCLUDE_FROM_ALL)
install(FILES ${packaging}/godwit.sysusers RENAME godwit.conf DESTINATION lib/sysusers.d COMPONENT server EXCLUDE_FROM_ALL)
install(FILES ${packaging}/godwitd.env DESTINATION /etc/godwit COMPONENT server EXCLUDE_FROM_ALL)
install(FILES ${packaging}/ipc-only.conf ${packaging}/witnesses.conf DESTINATION share/doc/godwit/examples COMPONENT server
  EXCLUDE_FROM_ALL)
install(FILES ${packaging}/godwit-witness.service DESTINATION lib/systemd/system COMPONENT witness EXCLUDE_FROM_ALL)
install(FILES ${packaging}/godwit-witness.sysusers RENAME godwit-witness.conf DESTINATION lib/sysusers.d COMPONENT witness
  EXCLUDE_FROM_ALL)
install(FILES ${packaging}/godwit-witness.lintian RENAME godwit-witness DESTINATION share/lintian/overrides COMPONENT witness
  EXCLUDE_FROM_ALL)
install(FILES ${packaging}/godwit.lintian RENAME godwit DESTINATION share/lintian/overrides COMPONENT server EXCLUDE_FROM_ALL)
set(changelog ${CMAKE_BINARY_DIR}/changelog.gz)
execute_process(COMMAND gzip -9nc ${packaging}/changelog OUTPUT_FILE ${changelog} COMMAND_ERROR_IS_FATAL ANY)
foreach(pair server:godwit client:godwit-client witness:godwit-witness)
  string(REPLACE ":" ";" pair ${pair})
  list(GET pair 0 component)
  list(GET pair 1 package)
  install(FILES ${packaging}/copyright ${changelog} DESTINATION share/doc/${package} COMPONENT ${component} EXCLUDE_FROM_ALL)
endforeach()

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGE_CONTACT "The Godwit maintainers <maintainers@godwit.example>")
set(CPACK_STRIP_FILES ON)
set(CPACK_VERBATIM_VARIABLES ON)
set(CPACK_COMPONENTS_ALL server client witness)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_COMPRESSION_TYPE gzip) # xz takes half a minute for DuckDB, and zstd not every tool reads
set(CPACK_DEBIAN_PACKAGE_SECTION science)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS ${GW_DUCKDB_FOLDER})
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)

set(CPACK_DEBIAN_SERVER_PACKAGE_NAME godwit)
set(CPACK_DEBIAN_SERVER_PACKAGE_RECOMMENDS godwit-client)
set(CPACK_DEBIAN_SERVER_PACKAGE_SUGGESTS godwit-gateway)
set(CPACK_DEBIAN_SERVER_PACKAGE_CONTROL_EXTRA ${packaging}/postinst ${packaging}/prerm ${packaging}/postrm
  ${packaging}/conffiles)
set(CPACK_DEBIAN_SERVER_DESCRIPTION "privacy-preserving statistics beside the register (daemon)
Godwit answers aggregate questions about a register with differentially
private figures, charges each question to budgets that the owner has fixed in
a signed policy, and keeps a log that anybody can check. This package holds the
daemon and the engine. It makes no ledger by itself: godwitd init does.")

set(CPACK_DEBIAN_CLIENT_PACKAGE_NAME godwit-client)
set(CPACK_DEBIAN_CLIENT_PACKAGE_SUGGESTS "godwit, cmake, libsodium-dev, libssl-dev, libcjson-dev, libnng-dev")
set(CPACK_DEBIAN_CLIENT_DESCRIPTION "privacy-preserving statistics beside the register (client)
The godwit command for researchers, owners, operators and auditors, and the
library to ask from C programs. It needs no database and, for an auditor, no
service either.")
# Control files are found by name: the witness's lie in a folder of their own.
set(CPACK_DEBIAN_WITNESS_PACKAGE_NAME godwit-witness)
set(CPACK_DEBIAN_WITNESS_PACKAGE_CONTROL_EXTRA ${packaging}/witness/postinst ${packaging}/witness/prerm ${packaging}/witness/postrm)
set(CPACK_DEBIAN_WITNESS_DESCRIPTION "vouches for the logs of others (C2SP tlog-witness)
A witness remembers the newest tree that it has seen of each log, and cosigns
a new one only with a proof that it continues that one, so that no log can be
rewritten, or set back to an old copy, unseen. It needs no service of its own
and learns nothing of a log but how fast it grows.")
include(CPack)
