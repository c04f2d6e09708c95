-- Geneve tunnels, by the words of ip-link(8).
local kinds = dofile((arg[0]:gsub("[^/]*$", "kinds.lua")))

kinds.test{
    kind = "geneve",
    cases = {
        { { id = 5, remote = "10.0.0.2", address = "02:00:00:00:00:05" },
            "address 02:00:00:00:00:05 type geneve id 5 remote 10.0.0.2" },
        { { vni = 16777215, remote = "fd00::2", ttl = "inherit", tos = "inherit", df = "set", flowlabel = 5,
            dstport = 99, udp6zerocsumtx = true, udp6zerocsumrx = false, address = "02:00:00:00:00:05" },
            "address 02:00:00:00:00:05 type geneve id 16777215 remote fd00::2 ttl inherit tos inherit df set " ..
            "flowlabel 5 dstport 99 udp6zerocsumtx noudp6zerocsumrx" },
        { { id = 5, remote = "10.0.0.2", ttl = 9, tos = "10", df = "inherit", udpcsum = true,
            address = "02:00:00:00:00:05" },
            "address 02:00:00:00:00:05 type geneve id 5 remote 10.0.0.2 ttl 9 tos 10 df inherit udpcsum" },
        { { id = 5, remote = "10.0.0.2", innerprotoinherit = true },
            "type geneve id 5 remote 10.0.0.2 innerprotoinherit" },
        { { external = true, dstport = 6082, address = "02:00:00:00:00:05" },
            "address 02:00:00:00:00:05 type geneve external dstport 6082" },
    },
    changes = {
        -- ip wants the first two again
        { { id = 5, remote = "10.0.0.2", ttl = 7, tos = 4 }, "id 5 remote 10.0.0.2 ttl 7 tos 4" },
    },
    wrong = {
        { { remote = "10.0.0.2" }, "EINVAL", "id: missing" },
        { { id = 5 }, "EINVAL", "remote: missing" },
        { { id = 1 << 24, remote = "10.0.0.2" }, "ERANGE", "id: 16777216 is out of range: 0 to 16777215" },
        { { id = 5, remote = "239.1.1.1" }, "EINVAL",
            'remote: "239.1.1.1" given, an address that is not multicast expected' },
        { { id = 5, external = true }, "EINVAL", "id: an external one has none of its own" },
        { { id = 5, remote = "10.0.0.2", remote6 = "fd00::2" }, "EINVAL", "remote: given twice" },
        { { id = 5, remote = "10.0.0.2", innerprotoinherit = "x" }, "EINVAL",
            'innerprotoinherit: "x" given, true or false expected' },
    },
}

os.exit(kinds.run())
