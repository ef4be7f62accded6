/** What watches the peer router: a BFD session of config.json, and the address that the peer is known by. */
import {
  choice,
  givenName,
  hostAddress,
  hostAddressOfEitherFamily,
  keys,
  mandatory,
  optional,
  routerName,
  wholeNumber,
  withDefault,
} from './fields';

export const peerPrivateAddressSchema = mandatory(hostAddress('172.31.105.154'), {
  description: "Private address of an interface of the peer router's instance.",
});

export const sessionSchema = mandatory(
  keys(
    {
      name: optional(givenName('to-rtr2-a'), {
        description: 'By which `groups` refer to the session.',
      }),
      session_type: mandatory(
        choice(
          ['SINGLE_HOP', 'MULTI_HOP'],
          'write "SINGLE_HOP", or "MULTI_HOP" for a neighbour that is not on the subnet of the interface',
        ),
        {
          description:
            'Kind of BFD session: to a neighbour on the subnet of the interface (RFC 5881), or to one that routers lie between (RFC 5883, unproven on XRv9000).',
          dropIn: true,
        },
      ),
      intf_name: mandatory(
        routerName({
          maxLength: 63,
          hint: "write the interface's name as the router does, like TenGigE0/0/0/2",
        }),
        {
          description:
            'Local interface of the session, spelled as the router spells it; of a multi-hop session, the one that its packets leave by. While it is down, the session says nothing about the peer router.',
          dropIn: true,
        },
      ),
      source_ip: optional(hostAddressOfEitherFamily('172.31.105.206'), {
        description:
          'Source address of a multi-hop session, one of this router; mandatory there, not used for single-hop.',
        dropIn: true,
      }),
      neigh_ip: mandatory(hostAddressOfEitherFamily('172.31.105.154'), {
        description:
          "The peer router's own address, IPv4 or IPv6: that of its interface on the same subnet, of its end of a tunnel, or of any interface of it for multi-hop. Not one of the floating addresses.",
        dropIn: true,
      }),
      bfd_desired_tx_int_usec: withDefault(wholeNumber({ from: 1_000, to: 30_000_000, unit: 'µs' }), 50_000, {
        description:
          'Interval of BFD packets to the peer (DesiredMinTxInterval of RFC 5880). Times detect_multiplier it is the detection time.',
        atMost: { limit: 1_000_000, because: 'a failed peer router is noticed after several seconds only' },
        dropIn: true,
      }),
      detect_multiplier: withDefault(wholeNumber({ from: 1, to: 255 }), 3, {
        description: 'How many packets in a row have to be missing until the session is down.',
        atLeast: { limit: 2, because: 'a single lost packet is then a failover' },
        atMost: { limit: 20, because: 'a failed peer router is noticed late' },
        dropIn: true,
      }),
      vrf_name: withDefault(
        routerName({ maxLength: 32, hint: 'write the name of the VRF, or leave the key out for "default"' }),
        'default',
        { description: 'VRF of the interface.', dropIn: true },
      ),
    },
    'write an object with "session_type", "intf_name" and "neigh_ip"',
  ),
  { description: 'One BFD session.' },
);
