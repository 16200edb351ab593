using DeviceHub.Tools.Bench.Ports;

namespace DeviceHub.UnitTests.Bench;

/// <summary>Over folders made as the kernel makes them.</summary>
public sealed class PortListTests : IDisposable
{
    private readonly string root = Directory.CreateTempSubdirectory("ports-").FullName;

    public void Dispose() => Directory.Delete(root, recursive: true);

    [Fact]
    public void Usb_port_is_listed_first_with_its_ids_driver_and_lasting_name()
    {
        MakeOnBoard("ttyS0", type: "4");
        MakeUsb("ttyUSB0", "ftdi_sio", ("idVendor", "0403"), ("idProduct", "6001"), ("serial", "A1B2"), ("product", "FT232R"), ("manufacturer", "FTDI"));
        var byId = Directory.CreateDirectory(Path.Combine(root, "dev/serial/by-id")).FullName;
        File.CreateSymbolicLink(Path.Combine(byId, "usb-FTDI_FT232R_A1B2-if00-port0"), "../../ttyUSB0");

        var ports = Read();

        Assert.Equal([Path.Combine(root, "dev/ttyUSB0"), Path.Combine(root, "dev/ttyS0")], ports.Select(p => p.Path));
        Assert.Equal(new UsbInfo("0403", "6001", "A1B2", "FT232R", "FTDI"), ports[0].Usb);
        Assert.Equal(("ftdi_sio", "usb-FTDI_FT232R_A1B2-if00-port0"), (ports[0].Driver, ports[0].ById));
        Assert.Equal("115200, up to 3000000", ports[0].SpeedGuess);
        Assert.Null(ports[1].Usb);
    }

    [Fact]
    public void Uart_that_the_kernel_only_reserves_and_consoles_are_not_listed()
    {
        MakeOnBoard("ttyS7", type: "0");
        Directory.CreateDirectory(Path.Combine(root, "sys/class/tty/tty1"));

        Assert.Empty(Read());
    }

    [Fact]
    public void Control_characters_in_a_name_that_a_device_gives_itself_do_not_reach_the_screen()
    {
        MakeUsb("ttyACM0", "cdc_acm", ("idVendor", "1234"), ("idProduct", "5678"), ("product", "Scan\u001b[2J"));

        var port = Assert.Single(Read());
        Assert.Equal("Scan?[2J", port.Usb!.Product);
        Assert.StartsWith("any", port.SpeedGuess, StringComparison.Ordinal);
    }

    [Fact]
    public void Machine_without_sysfs_has_no_ports() => Assert.Empty(Read());

    private IReadOnlyList<PortInfo> Read() => new PortList(Path.Combine(root, "sys"), Path.Combine(root, "dev")).Read();

    private void MakeOnBoard(string name, string type)
    {
        var device = Directory.CreateDirectory(Path.Combine(root, "sys/devices/platform/serial8250")).FullName;
        var folder = Directory.CreateDirectory(Path.Combine(root, "sys/class/tty", name)).FullName;
        File.WriteAllText(Path.Combine(folder, "type"), type + "\n");
        File.CreateSymbolicLink(Path.Combine(folder, "device"), device);
    }

    private void MakeUsb(string name, string driver, params (string Name, string Text)[] attributes)
    {
        var usb = Directory.CreateDirectory(Path.Combine(root, "sys/devices/pci0/usb1/1-1")).FullName;
        foreach (var (attribute, text) in attributes)
        {
            File.WriteAllText(Path.Combine(usb, attribute), text + "\n");
        }

        var device = Directory.CreateDirectory(Path.Combine(usb, "1-1:1.0", name)).FullName;
        var drivers = Directory.CreateDirectory(Path.Combine(root, "sys/bus/usb-serial/drivers", driver)).FullName;
        File.CreateSymbolicLink(Path.Combine(device, "driver"), drivers);
        var folder = Directory.CreateDirectory(Path.Combine(root, "sys/class/tty", name)).FullName;
        File.CreateSymbolicLink(Path.Combine(folder, "device"), device);
    }
}
